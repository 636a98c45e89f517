// A P1 adapter on an ESP32-C3, powered by the port (DSMR 5.0, 5.7): data line with pull-up at GPIO 6, data request by a transistor at
// GPIO 7, LED at GPIO 8 that lights at low level, S0 at GPIO 4.

import Digital from "embedded:io/digital";
import PulseCount from "embedded:io/pulsecount";
import Serial from "embedded:io/serial";

export default {
  io: { Digital, PulseCount, Serial },
  meter: { port: 1, receive: 6 },
  console: { port: 0, receive: 20, transmit: 21 },
  led: { pin: 8, on: 0 },
  pulse: { pin: 4 },
  request: { pin: 7 },
};
