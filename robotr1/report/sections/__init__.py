"""The report's sections: one module each, with its table, sentences and figure."""
