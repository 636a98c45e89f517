/* What hosts/esp32/native.c uses of ESP-IDF v6.0's hal/uart_ll.h. */
#pragma once
#include <stdbool.h>

typedef struct uart_dev_s uart_dev_t;
uart_dev_t *uart_ll_device(int port);
#define UART_LL_GET_HW(port) uart_ll_device(port)

bool uart_ll_is_tx_idle(uart_dev_t *device);
