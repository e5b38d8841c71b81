/** A series' episodes as a list: speeds and times as people write them. */
import { livePage } from "../../realtime/index.js";
import { showProgress } from "./progress.js";

livePage?.rooms.get("downloads")?.addEventListener("frame", (/** @type {any} */ event) => {
  const { type, data } = event.detail.frame;
  if (type === "download_progress") showProgress(document, data);
});
