/* What hosts/esp32/meter-serial.c uses of ESP-IDF v6.0's driver/uart.h: declarations to check its calls against, no chip behind them. */
#pragma once
#include "esp_err.h"
#include "freertos/FreeRTOS.h"

typedef int uart_port_t;
typedef enum { UART_DATA_5_BITS, UART_DATA_6_BITS, UART_DATA_7_BITS, UART_DATA_8_BITS } uart_word_length_t;
typedef enum { UART_PARITY_DISABLE = 0, UART_PARITY_EVEN = 2, UART_PARITY_ODD = 3 } uart_parity_t;
typedef enum { UART_STOP_BITS_1 = 1, UART_STOP_BITS_1_5 = 2, UART_STOP_BITS_2 = 3 } uart_stop_bits_t;
typedef enum { UART_HW_FLOWCTRL_DISABLE = 0 } uart_hw_flowcontrol_t;
typedef enum { UART_SCLK_DEFAULT = 4 } uart_sclk_t;
typedef struct {
	int baud_rate;
	uart_word_length_t data_bits;
	uart_parity_t parity;
	uart_stop_bits_t stop_bits;
	uart_hw_flowcontrol_t flow_ctrl;
	uint8_t rx_flow_ctrl_thresh;
	uart_sclk_t source_clk;
} uart_config_t;
#define UART_PIN_NO_CHANGE (-1)
typedef enum { UART_SIGNAL_INV_DISABLE = 0, UART_SIGNAL_RXD_INV = 1 << 2, UART_SIGNAL_TXD_INV = 1 << 5 } uart_signal_inv_t;

esp_err_t uart_set_line_inverse(uart_port_t port, uint32_t inverse_mask);
esp_err_t uart_set_word_length(uart_port_t port, uart_word_length_t bits);
esp_err_t uart_set_parity(uart_port_t port, uart_parity_t parity);
esp_err_t uart_set_baudrate(uart_port_t port, uint32_t baud);
esp_err_t uart_driver_install(uart_port_t port, int receive_bytes, int send_bytes, int events, QueueHandle_t *queue, int flags);
esp_err_t uart_param_config(uart_port_t port, const uart_config_t *configuration);
esp_err_t uart_set_pin(uart_port_t port, int send, int receive, int rts, int cts);
esp_err_t uart_set_rx_full_threshold(uart_port_t port, int bytes);
esp_err_t uart_get_buffered_data_len(uart_port_t port, size_t *length);
esp_err_t uart_get_tx_buffer_free_size(uart_port_t port, size_t *length);
esp_err_t uart_wait_tx_done(uart_port_t port, TickType_t ticks);
int uart_read_bytes(uart_port_t port, void *bytes, uint32_t length, TickType_t ticks);
int uart_write_bytes(uart_port_t port, const void *bytes, size_t length);
