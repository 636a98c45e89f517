// Solar panels at 52 degrees north: the sun's elevation by day and hour, and clouds that drift.

import { fractionAt } from "./random.js";

const latitude_rad = (52 * Math.PI) / 180;
const longitude_deg = 5;
const obliquity_rad = (23.44 * Math.PI) / 180;

/** Watts from the panels; 0 for the three households in ten that have none. */
export function solarPower_W(seed: number, time_s: number): number {
  if (fractionAt(seed, 0, 60) > 0.7) return 0;
  const rated_W = 2000 + Math.floor(fractionAt(seed, 0, 61) * 3500);
  return Math.floor(rated_W * Math.max(0, sineOfElevation(time_s)) ** 1.2 * skyAt(seed, time_s));
}

/** By the declination of the day and the hour angle; good to a degree, which is enough for a household. */
function sineOfElevation(time_s: number): number {
  const days = time_s / 86400;
  const declination_rad = -obliquity_rad * Math.cos(((days - 355) * 2 * Math.PI) / 365.25);
  const hourAngle_rad = (((time_s % 86400) / 86400 - 0.5) * 360 + longitude_deg) * (Math.PI / 180);
  return (
    Math.sin(latitude_rad) * Math.sin(declination_rad) +
    Math.cos(latitude_rad) * Math.cos(declination_rad) * Math.cos(hourAngle_rad)
  );
}

/** The day's weather and the clouds of the minute, between 0.1 and 1. */
function skyAt(seed: number, time_s: number): number {
  const weather = 0.3 + 0.7 * fractionAt(seed, Math.floor(time_s / 86400), 62);
  const minute = Math.floor(time_s / 60);
  const before = fractionAt(seed, minute, 63);
  const after = fractionAt(seed, minute + 1, 63);
  const cloud = before + (after - before) * ((time_s % 60) / 60);
  return Math.max(0.1, weather * (0.6 + 0.4 * cloud));
}
