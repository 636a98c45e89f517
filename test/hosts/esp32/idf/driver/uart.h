/* What hosts/esp32/native.c uses of ESP-IDF v6.0's driver/uart.h: declarations to check its calls against, no chip behind them. */
#pragma once
#include "esp_err.h"

typedef int uart_port_t;
typedef enum { UART_DATA_5_BITS, UART_DATA_6_BITS, UART_DATA_7_BITS, UART_DATA_8_BITS } uart_word_length_t;
typedef enum { UART_PARITY_DISABLE = 0, UART_PARITY_EVEN = 2, UART_PARITY_ODD = 3 } uart_parity_t;
typedef enum { UART_STOP_BITS_1 = 1, UART_STOP_BITS_1_5 = 2, UART_STOP_BITS_2 = 3 } uart_stop_bits_t;
typedef enum { UART_SIGNAL_INV_DISABLE = 0, UART_SIGNAL_RXD_INV = 1 << 2, UART_SIGNAL_TXD_INV = 1 << 5 } uart_signal_inv_t;

esp_err_t uart_set_line_inverse(uart_port_t port, uint32_t inverse_mask);
esp_err_t uart_set_word_length(uart_port_t port, uart_word_length_t bits);
esp_err_t uart_set_parity(uart_port_t port, uart_parity_t parity);
esp_err_t uart_set_stop_bits(uart_port_t port, uart_stop_bits_t bits);
esp_err_t uart_set_baudrate(uart_port_t port, uint32_t baud);
