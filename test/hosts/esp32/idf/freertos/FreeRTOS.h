/* What hosts/esp32/native.c uses of FreeRTOS as ESP-IDF v6.0 has it. */
#pragma once
#include <stdint.h>

typedef uint32_t TickType_t;
#define configTICK_RATE_HZ 100
#define pdMS_TO_TICKS(time_ms) ((TickType_t)((TickType_t)(time_ms) * configTICK_RATE_HZ / 1000))
