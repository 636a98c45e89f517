/* What hosts/esp32/native.c uses of FreeRTOS as ESP-IDF v6.0 has it. */
#pragma once
#include "freertos/FreeRTOS.h"

void vTaskDelay(TickType_t ticks);
