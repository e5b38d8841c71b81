/** How fast a download comes and how long it takes, in its row. Percent and bar are bound by the row's own attributes. */
import { showSpeed, showTimeLeft } from "./speeds.js";

/**
 * @param {ParentNode} page
 * @param {{download_id: number, speed_mbps: number, eta_seconds: number | null}} data of a `download_progress`
 */
export function showProgress(page, data) {
  const row = page.querySelector(`[data-download="${Number(data.download_id)}"]`);
  const [speed, eta] = [row?.querySelector("[data-speed]"), row?.querySelector("[data-eta]")];
  if (speed) speed.textContent = showSpeed(data.speed_mbps);
  if (eta) eta.textContent = showTimeLeft(data.eta_seconds);
}
