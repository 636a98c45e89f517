/* What hosts/esp32 uses of ESP-IDF v6.0's esp_intr_alloc.h. */
#pragma once

#define ESP_INTR_FLAG_IRAM (1 << 10)
