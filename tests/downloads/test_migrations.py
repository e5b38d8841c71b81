"""Older databases: what a person allowed stays allowed, and nothing more."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE, AFTER = ("downloads", "0004_pictures"), ("downloads", "0005_private_hosts")


@pytest.mark.django_db(transaction=True)
def test_a_source_that_might_be_private_may_be_at_its_own_host_only():
    executor = MigrationExecutor(connection)
    executor.migrate([BEFORE])
    sources = executor.loader.project_state([BEFORE]).apps.get_model(
        "downloads", "Source"
    )
    sources.objects.create(name="Near", url="http://NAS.home:80/c", may_be_private=True)
    sources.objects.create(name="Far", url="https://far.example/", may_be_private=False)
    try:
        executor = MigrationExecutor(connection)
        executor.migrate([AFTER])
        sources = executor.loader.project_state([AFTER]).apps.get_model(
            "downloads", "Source"
        )

        found = dict(sources.objects.values_list("name", "private_hosts"))
    finally:
        latest = MigrationExecutor(connection)
        latest.migrate(latest.loader.graph.leaf_nodes())

    assert found == {"Near": "nas.home", "Far": ""}
