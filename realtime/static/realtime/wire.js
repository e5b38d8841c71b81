/** Words and numbers of the wire. Written by `manage.py asyncapi`; do not edit. */

/** Why a connection ended. */
export const CloseCode = Object.freeze({
  /** The client left. */
  NORMAL: 1000,
  /** Five frames in a row were not valid. */
  INVALID_FRAMES: 4400,
  /** Not logged in, or logged out meanwhile; show the login. */
  NOT_LOGGED_IN: 4401,
  /** Not allowed, or from a wrong origin; show the login. */
  FORBIDDEN: 4403,
  /** The server does not know this protocol version; reload the page. */
  UNKNOWN_VERSION: 4406,
  /** No acknowledgement, no pong, or more waited than is kept; return at once and resume. */
  TOO_SLOW: 4408,
  /** Too many frames or connections; return after `after_ms`. */
  TOO_MANY: 4429,
  /** A fault of the server; return with backoff. */
  SERVER_FAULT: 4500,
  /** The server restarts or shuts down; return after `after_ms`, which it spreads over 0 to 5 s. */
  RESTART: 4503,
});

/** After these a client does not come back by itself. */
export const FINAL_CODES = Object.freeze([CloseCode.NORMAL, CloseCode.INVALID_FRAMES, CloseCode.NOT_LOGGED_IN, CloseCode.FORBIDDEN]);

/** Why a client frame was refused: `data.code` of an `error`. */
export const ErrorCode = Object.freeze({
  /** The frame was not JSON. */
  BAD_JSON: "bad_json",
  /** It was JSON, and not a frame: the message names the field. */
  BAD_FRAME: "bad_frame",
  /** The server knows no such action. */
  UNKNOWN_ACTION: "unknown_action",
  /** Also for a room that exists and is not the asker's, so that nobody can learn which rooms exist. */
  UNKNOWN_ROOM: "unknown_room",
  /** The action needs a room that the connection is not in. */
  NOT_JOINED: "not_joined",
  /** The connection is in as many rooms as it may be. */
  TOO_MANY_ROOMS: "too_many_rooms",
  /** Frames came faster than allowed; `details.retry_after_ms` says when the next may come. */
  RATE_LIMITED: "rate_limited",
  /** The frame was longer than `limits.max_frame_bytes`. */
  TOO_LARGE: "too_large",
  /** A mistake of the server; its log has `details.id`. */
  INTERNAL: "internal",
});

/** What the server sends. */
export const MessageType = Object.freeze({
  CONNECTED: "connected",
  PING: "ping",
  PONG: "pong",
  ERROR: "error",
  JOINED: "joined",
  LEFT: "left",
  BATCH: "batch",
  MEMBER_JOINED: "member_joined",
  MEMBER_LEFT: "member_left",
  BYE: "bye",
  SYSTEM_INFO: "system_info",
  SYSTEM_WARNING: "system_warning",
  SYSTEM_ERROR: "system_error",
  DOWNLOAD_ADDED: "download_added",
  DOWNLOAD_REMOVED: "download_removed",
  DOWNLOAD_PROGRESS: "download_progress",
  DOWNLOAD_UPDATED: "download_updated",
  QUEUE_REORDERED: "queue_reordered",
  DOWNLOAD_COMPLETE: "download_complete",
  DOWNLOAD_FAILED: "download_failed",
  QUEUE_STATUS: "queue_status",
  QUEUE_STARTED: "queue_started",
  QUEUE_STOPPED: "queue_stopped",
  QUEUE_PAUSED: "queue_paused",
  QUEUE_RESUMED: "queue_resumed",
  SOURCE_UPDATED: "source_updated",
  SCAN_STARTED: "scan_started",
  SCAN_PROGRESS: "scan_progress",
  SCAN_COMPLETE: "scan_complete",
  SCAN_FAILED: "scan_failed",
  SERIES_UPDATED: "series_updated",
  SERIES_REMOVED: "series_removed",
  ROOT_UPDATED: "root_updated",
  TASK_UPDATED: "task_updated",
});

/** What a client sends. */
export const Action = Object.freeze({
  JOIN: "join",
  LEAVE: "leave",
  PING: "ping",
  PONG: "pong",
  HELLO: "hello",
  ACK: "ack",
});

/** What `hello` names. */
export const PROTOCOL = 1;

/** Between two pings of the server; `connected` says what is in force. */
export const HEARTBEAT_MS = 25_000;

/** Nothing heard for so long means that the other end is gone. */
export const SILENCE_MS = 35_000;

/** Characters of a room's name. */
export const MAX_ROOM_NAME = 80;

/** Characters of a `ref`. */
export const MAX_REF = 64;

/** Of a room's history, for `since`. */
export const KEPT_MESSAGES = 512;

/** Seconds that they stay there. */
export const KEPT_S = 300;

/** Sent and not acknowledged, by a client that said `acks`; then the server waits. */
export const MAX_UNACKED_FRAMES = 64;

/** That wait for a connection; over it the connection is closed with 4408. */
export const MAX_OUTBOX_BYTES = 262_144;

/** The same in messages, where states of one entity are one. */
export const MAX_OUTBOX_ENTRIES = 512;
