"""Counting related rows in the query that reads their owner."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, IntegerField, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce


def count_rows(rows: QuerySet[Any], *, of: str = "pk") -> Coalesce:
    """Count the rows of a correlated query, or the distinct values of one of its columns."""
    grouped = rows.order_by().annotate(group=Value(1)).values("group")
    counted = grouped.annotate(total=Count(of, distinct=of != "pk")).values("total")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
