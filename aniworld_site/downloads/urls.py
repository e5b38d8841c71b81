"""Addresses of the pages of downloads."""

from __future__ import annotations

from django.urls import path

from aniworld_site.downloads.views import adding, episodes, missing, queue, sources

app_name = "downloads"
urlpatterns = [
    path("queue/", queue.queue_page, name="queue"),
    path("queue/badge/", queue.queue_badge, name="queue_badge"),
    path("queue/do/", queue.queue_do, name="queue_do"),
    path("queue/clear/", queue.queue_clear, name="queue_clear"),
    path("queue/move/", queue.queue_move, name="queue_move"),
    path("queue/set/", queue.queue_set, name="queue_set"),
    path("queue/limits/", queue.queue_limits, name="queue_limits"),
    path("queue/settings/", queue.queue_settings, name="queue_settings"),
    path("queue/preview/", queue.template_preview, name="template_preview"),
    path("missing/", missing.missing_page, name="missing"),
    path("missing/queue/", missing.missing_queue, name="missing_queue"),
    path("missing/all/", missing.missing_all, name="missing_all"),
    path("missing/ignore/", missing.missing_ignore, name="missing_ignore"),
    path(
        "series/<slug:key>/episodes/", episodes.series_episodes, name="series_episodes"
    ),
    path("series/<slug:key>/queue/", missing.series_queue, name="series_queue"),
    path("sources/", sources.source_list, name="sources"),
    path("sources/add/", sources.source_add, name="source_add"),
    path("sources/<int:pk>/refresh/", sources.source_refresh, name="source_refresh"),
    path("sources/<int:pk>/wake/", sources.source_wake, name="source_wake"),
    path("sources/<int:pk>/edit/", sources.source_edit, name="source_edit"),
    path("sources/<int:pk>/remove/", sources.source_remove, name="source_remove"),
    path(
        "sources/<int:pk>/confirm-remove/",
        sources.source_confirm_remove,
        name="source_confirm_remove",
    ),
    path("sources/yt-dlp/", sources.ytdlp_update, name="ytdlp_update"),
    path("reviews/<int:pk>/", sources.review_settle, name="review_settle"),
    path("add/", adding.add_page, name="add"),
    path("add/<int:pk>/", adding.add_series, name="add_series"),
    path("add/link/", adding.link_series, name="link_series"),
    path("add/<int:pk>/dismiss/", adding.dismiss_series, name="dismiss_series"),
]
