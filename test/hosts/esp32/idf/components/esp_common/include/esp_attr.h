/* What hosts/esp32 uses of ESP-IDF v6.0's esp_attr.h: where code and data lie. */
#pragma once

#define IRAM_ATTR
#define RTC_NOINIT_ATTR
