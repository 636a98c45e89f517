/* What hosts/esp32/pulses.c uses of ESP-IDF v6.0's hal/gpio_ll.h. */
#pragma once
#include <stdint.h>

typedef struct gpio_dev_s gpio_dev_t;
extern gpio_dev_t GPIO;

int gpio_ll_get_level(gpio_dev_t *device, uint32_t pin);
