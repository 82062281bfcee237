"""Faithfulness: does the chosen letter follow from the written thought?"""
