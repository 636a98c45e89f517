/* ESP-IDF v6.0, esp_random.h */
#pragma once
#include <stddef.h>

void esp_fill_random(void *bytes, size_t length);
