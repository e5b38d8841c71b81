// The frames of the wire. Written by `manage.py asyncapi`; do not edit.

/** Whatever JSON may hold. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** Acknowledges what was received. */
export interface AckAction {
  /** Comes back in the reply. (at most 64 characters) */
  ref?: string | null;
  action: "ack";
  data: AckData;
}

/** How far the client has read. */
export interface AckData {
  /** Frames received since `hello`. (0 or more) */
  n: number;
}

/** Several frames at once, for connections that said `batch` in `hello`. */
export interface BatchData {
  /** Whole frames, in order. */
  messages: Array<ServerFrame>;
}

/** Several frames at once, for connections that said `batch` in `hello`. */
export interface BatchFrame {
  type: "batch";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: BatchData;
}

/** Last frame before the server closes. */
export interface ByeData {
  code: CloseCode;
  /** Whether the client should come back by itself. */
  reconnect: boolean;
  /** Earliest time to come back, in milliseconds from now. (0 or more milliseconds) */
  after_ms: number;
  message: string;
}

/** Last frame before the server closes. */
export interface ByeFrame {
  type: "bye";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: ByeData;
}

/** Any frame that a client sends. */
export type ClientFrame = JoinAction | LeaveAction | PingAction | PongAction | HelloAction | AckAction;

/** Why a connection ended; only 1000 and 4xxx, since some ASGI servers refuse the others. */
export type CloseCode = 1000 | 4400 | 4401 | 4403 | 4406 | 4408 | 4429 | 4500 | 4503;

/** First frame of every connection. */
export interface ConnectedData {
  /** Unique; the server's log names it. */
  connection_id: string;
  protocol: number;
  /** Seconds between two pings of the server. (seconds) */
  heartbeat_s: number;
  /** ISO 8601 in UTC. */
  server_time: string;
  /** User name. */
  user: string | null;
  limits: Limits;
}

/** First frame of every connection. */
export interface ConnectedFrame {
  type: "connected";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: ConnectedData;
}

/** An item entered the queue. */
export interface DownloadAddedData {
  /** (0 or more) */
  download_id: number;
  /** (1 to 64 characters, matches `^[a-z0-9]+(?:[-_][a-z0-9]+)*$`) */
  key: string;
  /** For display only. (at most 300 characters) */
  folder?: string;
  /** 0 holds the specials. (0 or more) */
  season: number;
  /** (0 or more) */
  episode: number;
  /** Place in the queue, the next one is 1. (1 or more) */
  position?: number;
}

/** An item entered the queue. */
export interface DownloadAddedFrame {
  type: "download_added";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: DownloadAddedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** The file is in the library. */
export interface DownloadCompleteData {
  /** (0 or more) */
  download_id: number;
  /** (1 to 64 characters, matches `^[a-z0-9]+(?:[-_][a-z0-9]+)*$`) */
  key: string;
  /** For display only. (at most 300 characters) */
  folder?: string;
  /** Relative to its root folder. (1 to 4096 characters) */
  file_path: string;
}

/** The file is in the library. */
export interface DownloadCompleteFrame {
  type: "download_complete";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: DownloadCompleteData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Given up, or to be tried again later. */
export interface DownloadFailedData {
  /** (0 or more) */
  download_id: number;
  /** (1 to 64 characters, matches `^[a-z0-9]+(?:[-_][a-z0-9]+)*$`) */
  key: string;
  /** For display only. (at most 300 characters) */
  folder?: string;
  /** (1 to 500 characters) */
  error_message: string;
}

/** Given up, or to be tried again later. */
export interface DownloadFailedFrame {
  type: "download_failed";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: DownloadFailedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Bytes arrived. */
export interface DownloadProgressData {
  /** (0 or more) */
  download_id: number;
  /** (1 to 64 characters, matches `^[a-z0-9]+(?:[-_][a-z0-9]+)*$`) */
  key: string;
  /** For display only. (at most 300 characters) */
  folder?: string;
  /** (0 to 100 percent) */
  percent: number;
  /** Smoothed rate in megabits per second. (0 or more megabits per second) */
  speed_mbps: number;
  /** Seconds left; null while unknown. (0 or more seconds) */
  eta_seconds: number | null;
  /** Bytes that are there. (0 or more) */
  current: number;
  /** Bytes of the whole; null while unknown. (0 or more) */
  total?: number;
  status: "active" | "verifying";
}

/** Bytes arrived. */
export interface DownloadProgressFrame {
  type: "download_progress";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: DownloadProgressData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** An item left the queue. */
export interface DownloadRemovedData {
  /** (0 or more) */
  download_id: number;
  /** (1 to 64 characters, matches `^[a-z0-9]+(?:[-_][a-z0-9]+)*$`) */
  key: string;
  /** For display only. (at most 300 characters) */
  folder?: string;
  /** 0 holds the specials. (0 or more) */
  season: number;
  /** (0 or more) */
  episode: number;
  /** Place in the queue, the next one is 1. (1 or more) */
  position?: number;
}

/** An item left the queue. */
export interface DownloadRemovedFrame {
  type: "download_removed";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: DownloadRemovedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** A download is in another state or at another place. */
export interface DownloadUpdatedData {
  /** (0 or more) */
  download_id: number;
  /** (1 to 64 characters, matches `^[a-z0-9]+(?:[-_][a-z0-9]+)*$`) */
  key: string;
  /** For display only. (at most 300 characters) */
  folder?: string;
  /** 0 holds the specials. (0 or more) */
  season: number;
  /** (0 or more) */
  episode: number;
  /** Place in the queue, the next one is 1. (1 or more) */
  position?: number;
  /** queued, active, paused, waiting, verifying, importing, done, failed or cancelled. */
  status: string;
  /** Why it waits or failed, as a sentence. (at most 500 characters) */
  reason: string;
}

/** A download is in another state or at another place. */
export interface DownloadUpdatedFrame {
  type: "download_updated";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: DownloadUpdatedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Why a client frame was refused; the value of `error.data.code`. */
export type ErrorCode = "bad_json" | "bad_frame" | "unknown_action" | "unknown_room" | "not_joined" | "too_many_rooms" | "rate_limited" | "too_large" | "internal";

/** A client frame was refused; the connection stays open. */
export interface ErrorData {
  code: ErrorCode;
  /** A sentence: what was expected and what came. */
  message: string;
  /** `retry_after_ms` with rate_limited, and with internal while live updates are paused; `id` with internal. */
  details?: {
    [key: string]: JsonValue;
  };
}

/** A client frame was refused; the connection stays open. */
export interface ErrorFrame {
  type: "error";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: ErrorData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room?: string;
  /** The `ref` of the client frame that it answers. (at most 64 characters) */
  ref?: string;
}

/** Says what the client can do; counting begins behind it. */
export interface HelloAction {
  /** Comes back in the reply. (at most 64 characters) */
  ref?: string | null;
  action: "hello";
  data: HelloData;
}

/** What the client can do. */
export interface HelloData {
  protocol: number;
  /** Whether it counts frames and acknowledges them. */
  acks?: boolean;
  /** Whether it reads `batch` frames. */
  batch?: boolean;
  /** The most state updates a second per entity that it wants. (1 to 20 per second) */
  max_hz?: number | null;
}

/** Asks to receive what is published to a room. */
export type JoinAction = {
  /** Comes back in the reply. (at most 64 characters) */
  ref?: string | null;
  data?: JoinData;
  action: "join";
  /** Instead of `data.room`. (1 to 80 characters) */
  room?: string;
} & ({
  data: JoinData;
} | {
  /** Instead of `data.room`. (1 to 80 characters) */
  room: string;
});

/** Names a room, and what the client has of it. */
export interface JoinData {
  /** (1 to 80 characters) */
  room: string;
  /** Of the last frame that the client holds. */
  since?: Position | null;
}

/** The connection is in the room: whatever is published after `seq` arrives. Without `ref` the server puts it in anew, since the room's history does not reach back to what the connection has. */
export interface JoinedData {
  room: string;
  /** Of the room's stream; positions of another one mean nothing. */
  epoch: string;
  /** Position that the reply is consistent with; with `recovered` that of the connection before what it missed. (0 or more) */
  seq: number;
  /** Whether everything after the position that `join` named follows. */
  recovered: boolean;
  /** Whole frames: the newest state of each entity at `seq`; null with `recovered`. */
  snapshot: Array<ServerFrame> | null;
  /** Connections in the room, over all processes. (0 or more) */
  members: number;
}

/** The connection is in the room: whatever is published after `seq` arrives. Without `ref` the server puts it in anew, since the room's history does not reach back to what the connection has. */
export interface JoinedFrame {
  type: "joined";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: JoinedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room?: string;
  /** The `ref` of the client frame that it answers. (at most 64 characters) */
  ref?: string;
}

/** Asks to receive it no longer. */
export type LeaveAction = {
  /** Comes back in the reply. (at most 64 characters) */
  ref?: string | null;
  data?: RoomData;
  action: "leave";
  /** Instead of `data.room`. (1 to 80 characters) */
  room?: string;
} & ({
  data: RoomData;
} | {
  /** Instead of `data.room`. (1 to 80 characters) */
  room: string;
});

/** The connection is not, or no longer, in the room; without `ref` the server took it out. */
export interface LeftData {
  room: string;
}

/** The connection is not, or no longer, in the room; without `ref` the server took it out. */
export interface LeftFrame {
  type: "left";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: LeftData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room?: string;
  /** The `ref` of the client frame that it answers. (at most 64 characters) */
  ref?: string;
}

/** What the server takes from one connection or user. */
export interface Limits {
  /** Of one frame. (bytes) */
  max_frame_bytes: number;
  /** Joined at a time by one connection. */
  max_rooms: number;
  /** Of one user, over all connections. (per second) */
  frames_per_s: number;
}

/** Somebody came into a room that announces its members. */
export interface MemberJoinedData {
  user: string;
}

/** Somebody came into a room that announces its members. */
export interface MemberJoinedFrame {
  type: "member_joined";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: MemberJoinedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Somebody's last connection left a room that announces its members. */
export interface MemberLeftData {
  user: string;
}

/** Somebody's last connection left a room that announces its members. */
export interface MemberLeftFrame {
  type: "member_left";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: MemberLeftData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Asks whether the server is there. */
export interface PingAction {
  /** Comes back in the reply. (at most 64 characters) */
  ref?: string | null;
  action: "ping";
  /** Comes back in the pong. */
  data?: {
    [key: string]: JsonValue;
  };
}

/** The server asks whether the client is there; it answers `{"action": "pong"}` with the same data. */
export interface PingData {
  [key: string]: JsonValue;
}

/** The server asks whether the client is there; it answers `{"action": "pong"}` with the same data. */
export interface PingFrame {
  type: "ping";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: PingData;
}

/** Answers the server's ping. */
export interface PongAction {
  /** Comes back in the reply. (at most 64 characters) */
  ref?: string | null;
  action: "pong";
  data?: {
    [key: string]: JsonValue;
  };
}

/** Answer to the client's ping, with the same data. */
export interface PongData {
  [key: string]: JsonValue;
}

/** Answer to the client's ping, with the same data. */
export interface PongFrame {
  type: "pong";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: PongData;
  /** The `ref` of the client frame that it answers. (at most 64 characters) */
  ref?: string;
}

/** A place in a room's stream. */
export interface Position {
  /** (1 to 40 characters) */
  epoch: string;
  /** (0 or more) */
  seq: number;
}

/** What runs is held, and nothing is taken up. */
export interface QueuePausedData {
  /** (0 or more) */
  active: number;
  /** (0 or more) */
  pending: number;
  /** (0 or more) */
  completed: number;
  /** (0 or more) */
  failed: number;
  /** (0 or more) */
  paused: number;
  /** Name of the user, or "system". (1 to 150 characters) */
  by: string;
}

/** What runs is held, and nothing is taken up. */
export interface QueuePausedFrame {
  type: "queue_paused";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: QueuePausedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Downloads changed places. */
export interface QueueReorderedData {}

/** Downloads changed places. */
export interface QueueReorderedFrame {
  type: "queue_reordered";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: QueueReorderedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** What was held goes on. */
export interface QueueResumedData {
  /** (0 or more) */
  active: number;
  /** (0 or more) */
  pending: number;
  /** (0 or more) */
  completed: number;
  /** (0 or more) */
  failed: number;
  /** (0 or more) */
  paused: number;
  /** Name of the user, or "system". (1 to 150 characters) */
  by: string;
}

/** What was held goes on. */
export interface QueueResumedFrame {
  type: "queue_resumed";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: QueueResumedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** The queue takes up waiting items. */
export interface QueueStartedData {
  /** (0 or more) */
  active: number;
  /** (0 or more) */
  pending: number;
  /** (0 or more) */
  completed: number;
  /** (0 or more) */
  failed: number;
  /** (0 or more) */
  paused: number;
  /** Name of the user, or "system". (1 to 150 characters) */
  by: string;
}

/** The queue takes up waiting items. */
export interface QueueStartedFrame {
  type: "queue_started";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: QueueStartedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Any count changed. */
export interface QueueStatusData {
  /** (0 or more) */
  active: number;
  /** (0 or more) */
  pending: number;
  /** (0 or more) */
  completed: number;
  /** (0 or more) */
  failed: number;
  /** (0 or more) */
  paused: number;
}

/** Any count changed. */
export interface QueueStatusFrame {
  type: "queue_status";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: QueueStatusData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Nothing runs, and nothing is taken up. */
export interface QueueStoppedData {
  /** (0 or more) */
  active: number;
  /** (0 or more) */
  pending: number;
  /** (0 or more) */
  completed: number;
  /** (0 or more) */
  failed: number;
  /** (0 or more) */
  paused: number;
  /** Name of the user, or "system". (1 to 150 characters) */
  by: string;
}

/** Nothing runs, and nothing is taken up. */
export interface QueueStoppedFrame {
  type: "queue_stopped";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: QueueStoppedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Names a room. */
export interface RoomData {
  /** (1 to 80 characters) */
  room: string;
}

/** A root folder, or the number of its files, changed; these are the values after it. */
export interface RootUpdatedData {
  /** (0 or more) */
  root_id: number;
  root: string;
  is_online: boolean;
  /** (0 or more) */
  file_count: number;
  /** (0 or more) */
  unmatched: number;
  /** Files not found and kept, since a person has to confirm that so many are gone. (0 or more) */
  held: number;
}

/** A root folder, or the number of its files, changed; these are the values after it. */
export interface RootUpdatedFrame {
  type: "root_updated";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: RootUpdatedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** A scan ended well. */
export interface ScanCompleteData {
  /** (0 or more) */
  scan_id: number;
  root: string;
  /** (0 or more) */
  series_found: number;
  /** Seconds from its start. (0 or more) */
  duration: number;
  /** Files that are new. (0 or more) */
  added: number;
  /** Files whose content or name changed, moved ones included. (0 or more) */
  updated: number;
  /** Files that are gone. (0 or more) */
  vanished: number;
  /** Files not found and kept, since a person has to confirm that so many are gone. (0 or more) */
  held: number;
  /** Files of this root that a person has to look at, old ones included. (0 or more) */
  unmatched: number;
}

/** A scan ended well. */
export interface ScanCompleteFrame {
  type: "scan_complete";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: ScanCompleteData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** A scan ended badly, or was cancelled. */
export interface ScanFailedData {
  /** (0 or more) */
  scan_id: number;
  root: string;
  /** (1 to 500 characters) */
  error_message: string;
  cancelled: boolean;
}

/** A scan ended badly, or was cancelled. */
export interface ScanFailedFrame {
  type: "scan_failed";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: ScanFailedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** A folder was read. `percent` never falls during one scan. */
export interface ScanProgressData {
  /** (0 or more) */
  scan_id: number;
  /** Name of the root folder. */
  root: string;
  /** Files read so far. (0 or more) */
  current: number;
  /** Files expected, never below `current`. (0 or more) */
  total: number;
  /** (0 to 100 percent) */
  percent: number;
  /** Of the series being read; absent while it is unknown. (1 to 64 characters, matches `^[a-z0-9]+(?:[-_][a-z0-9]+)*$`) */
  key?: string;
  /** The folder being read, for display only. (at most 300 characters) */
  folder?: string;
  status: "running" | "cancelling";
}

/** A folder was read. `percent` never falls during one scan. */
export interface ScanProgressFrame {
  type: "scan_progress";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: ScanProgressData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** A scan is queued for a worker or has begun to read. */
export interface ScanStartedData {
  /** (0 or more) */
  scan_id: number;
  /** Name of the root folder. */
  root: string;
  status: "queued" | "running";
  /** Name of the user who asked, or "system". */
  by: string;
}

/** A scan is queued for a worker or has begun to read. */
export interface ScanStartedFrame {
  type: "scan_started";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: ScanStartedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** A series left the library; its files were not touched. */
export interface SeriesRemovedData {
  /** (1 to 64 characters, matches `^[a-z0-9]+(?:[-_][a-z0-9]+)*$`) */
  key: string;
  /** (at most 300 characters) */
  folder?: string;
  title: string;
}

/** A series left the library; its files were not touched. */
export interface SeriesRemovedFrame {
  type: "series_removed";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: SeriesRemovedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** A series, or something of it, changed; these are the values after it. */
export interface SeriesUpdatedData {
  /** (1 to 64 characters, matches `^[a-z0-9]+(?:[-_][a-z0-9]+)*$`) */
  key: string;
  /** (at most 300 characters) */
  folder?: string;
  title: string;
  year?: number;
  is_monitored: boolean;
  /** (0 or more) */
  episode_count: number;
  /** (0 or more) */
  have_count: number;
  /** (0 or more) */
  missing_count: number;
}

/** A series, or something of it, changed; these are the values after it. */
export interface SeriesUpdatedFrame {
  type: "series_updated";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: SeriesUpdatedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Any frame that the server sends. */
export type ServerFrame = ConnectedFrame | PingFrame | PongFrame | ErrorFrame | JoinedFrame | LeftFrame | BatchFrame | MemberJoinedFrame | MemberLeftFrame | ByeFrame | SystemInfoFrame | SystemWarningFrame | SystemErrorFrame | DownloadAddedFrame | DownloadRemovedFrame | DownloadProgressFrame | DownloadUpdatedFrame | QueueReorderedFrame | DownloadCompleteFrame | DownloadFailedFrame | QueueStatusFrame | QueueStartedFrame | QueueStoppedFrame | QueuePausedFrame | QueueResumedFrame | SourceUpdatedFrame | ScanStartedFrame | ScanProgressFrame | ScanCompleteFrame | ScanFailedFrame | SeriesUpdatedFrame | SeriesRemovedFrame | RootUpdatedFrame | TaskUpdatedFrame;

/** A source is being read, or was. */
export interface SourceUpdatedData {
  /** (0 or more) */
  source_id: number;
  /** Its name. (at most 80 characters) */
  source: string;
  status: "reading" | "read" | "failed";
  /** Why it could not be read, as a sentence. (at most 500 characters) */
  reason: string;
}

/** A source is being read, or was. */
export interface SourceUpdatedFrame {
  type: "source_updated";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: SourceUpdatedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Something is broken until a person acts. */
export interface SystemErrorData {
  message: string;
  details?: {
    [key: string]: JsonValue;
  };
  severity: "error";
}

/** Something is broken until a person acts. */
export interface SystemErrorFrame {
  type: "system_error";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: SystemErrorData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room?: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq?: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Good to know. */
export interface SystemInfoData {
  message: string;
  details?: {
    [key: string]: JsonValue;
  };
  severity: "info";
}

/** Good to know. */
export interface SystemInfoFrame {
  type: "system_info";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: SystemInfoData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room?: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq?: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** Something does not work as it should, and heals by itself or can wait. */
export interface SystemWarningData {
  message: string;
  details?: {
    [key: string]: JsonValue;
  };
  severity: "warning";
}

/** Something does not work as it should, and heals by itself or can wait. */
export interface SystemWarningFrame {
  type: "system_warning";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: SystemWarningData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room?: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq?: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** A task of the schedule began or ended. */
export interface TaskUpdatedData {
  /** refresh-sources, scan-roots, settle-files or sweep-scans; the last only when it found something or a person asked for it. (1 to 64 characters) */
  task: string;
  status: "running" | "done" | "failed";
}

/** A task of the schedule began or ended. */
export interface TaskUpdatedFrame {
  type: "task_updated";
  /** When the message was made: ISO 8601 in UTC with offset, always of the same width. */
  timestamp: string;
  data: TaskUpdatedData;
  /** Name of the room that it belongs to. (1 to 80 characters) */
  room: string;
  /** Place in the room's stream; rises by one per published message. (1 or more) */
  seq: number;
  /** The `seq` sent before it to this connection in this room; equal to the last one held, nothing is missing. Not in snapshots. (0 or more) */
  prev?: number;
}

/** The frame of each message type. */
export interface ServerFrames {
  "connected": ConnectedFrame;
  "ping": PingFrame;
  "pong": PongFrame;
  "error": ErrorFrame;
  "joined": JoinedFrame;
  "left": LeftFrame;
  "batch": BatchFrame;
  "member_joined": MemberJoinedFrame;
  "member_left": MemberLeftFrame;
  "bye": ByeFrame;
  "system_info": SystemInfoFrame;
  "system_warning": SystemWarningFrame;
  "system_error": SystemErrorFrame;
  "download_added": DownloadAddedFrame;
  "download_removed": DownloadRemovedFrame;
  "download_progress": DownloadProgressFrame;
  "download_updated": DownloadUpdatedFrame;
  "queue_reordered": QueueReorderedFrame;
  "download_complete": DownloadCompleteFrame;
  "download_failed": DownloadFailedFrame;
  "queue_status": QueueStatusFrame;
  "queue_started": QueueStartedFrame;
  "queue_stopped": QueueStoppedFrame;
  "queue_paused": QueuePausedFrame;
  "queue_resumed": QueueResumedFrame;
  "source_updated": SourceUpdatedFrame;
  "scan_started": ScanStartedFrame;
  "scan_progress": ScanProgressFrame;
  "scan_complete": ScanCompleteFrame;
  "scan_failed": ScanFailedFrame;
  "series_updated": SeriesUpdatedFrame;
  "series_removed": SeriesRemovedFrame;
  "root_updated": RootUpdatedFrame;
  "task_updated": TaskUpdatedFrame;
}

/** What can be joined; parameters stand for letters, digits and `_ . -`. */
export type RoomName = "downloads" | "library" | "queue" | "scan" | `series:${string}` | "sources" | "system";
