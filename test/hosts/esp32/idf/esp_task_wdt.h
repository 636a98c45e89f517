/* What hosts/esp32/native.c uses of ESP-IDF v6.0's esp_task_wdt.h. */
#pragma once
#include "esp_err.h"

typedef struct tskTaskControlBlock *TaskHandle_t;

esp_err_t esp_task_wdt_add(TaskHandle_t task);
esp_err_t esp_task_wdt_reset(void);
