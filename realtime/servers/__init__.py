"""ASGI servers that live pages are served with: bounded in both directions, and with an end that says goodbye."""
