/* What hosts/esp32/native.c uses of ESP-IDF v6.0's esp_timer.h. */
#pragma once
#include <stdint.h>

int64_t esp_timer_get_time(void);
