"""Answers over HTTP: `create_app(retriever, database, settings)` and the built web page.

Runs without PyTorch. Importing does nothing: no app, no model, no environment.
"""
