"""The protocol of the installed apps as documents: AsyncAPI, JSON Schema, TypeScript, and tables for people."""

from __future__ import annotations
