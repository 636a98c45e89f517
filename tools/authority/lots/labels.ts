// A sheet of labels for the devices of a lot, one SVG: for each its ID, lot and key as text and as a QR code (ISO/IEC 18004), which a
// field engineer's telephone or scanner reads.

import encodeQR from "qr";
import { toHex } from "../../../src/wire/bytes.js";
import type { LotDevice } from "./shipment.js";

/** Millimetres; a sheet is as wide as A4 and as long as its labels take. */
const SHEET_WIDTH = 210;
const MARGIN = 10;
const LABEL = { width: 63, height: 28 } as const;
const COLUMNS = 3;
const CODE = 24;

/** What the code of a device says: `gridseal:<ID>?key=<key id>&lot=<lot>`, each value percent-encoded (RFC 3986). */
export function labelText(lot: string, { id, kid }: Pick<LotDevice, "id" | "kid">): string {
  return `gridseal:${encodeURIComponent(id)}?key=${toHex(kid)}&lot=${encodeURIComponent(lot)}`;
}

/** The sheet for all devices. */
export function labelSheet(lot: string, devices: readonly Pick<LotDevice, "id" | "kid">[]): string {
  const height = 2 * MARGIN + Math.ceil(devices.length / COLUMNS) * LABEL.height;
  const size = `width="${SHEET_WIDTH}mm" height="${height}mm" viewBox="0 0 ${SHEET_WIDTH} ${height}"`;
  const labels = devices.map((device, place) => {
    const x = MARGIN + (place % COLUMNS) * LABEL.width;
    const y = MARGIN + Math.floor(place / COLUMNS) * LABEL.height;
    return `<g transform="translate(${x} ${y})">${label(lot, device)}</g>`;
  });
  const style = "<style>text{font:3px sans-serif}.id{font-weight:bold}.key{font:2.4px monospace}</style>";
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${style}\n${labels.join("\n")}\n</svg>\n`;
}

function label(lot: string, device: Pick<LotDevice, "id" | "kid">): string {
  const text = CODE + 2;
  return [
    code(labelText(lot, device)),
    `<text class="id" x="${text}" y="8">${escaped(device.id)}</text>`,
    `<text x="${text}" y="13">lot ${escaped(lot)}</text>`,
    `<text class="key" x="${text}" y="18">${toHex(device.kid)}</text>`,
  ].join("");
}

/** Dark modules as one path, scaled to the code's width. */
function code(text: string): string {
  const modules = encodeQR(text, "raw", { ecc: "medium" });
  const dark = modules.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return `<path transform="scale(${CODE / modules.length})" d="${dark.join("")}"/>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
