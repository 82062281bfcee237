"""The look of the report: names, figures, tables and numbers as text."""
