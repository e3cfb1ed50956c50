/* The simulated host with vCenter's REST interface: a start with all that it needs, and what a
 * client needs to log in. sim.h does the rest: faults, log, end. */
#ifndef SIM_REST_HARNESS_H
#define SIM_REST_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Files in the test's directory, there after the first start of a test. */
#define SIM_CA "ca.pem"
#define SIM_CREDENTIALS "credentials" /* username=…, password=…, mode 0600 */

#define SIM_USER "tester@vsphere.local"
#define SIM_PASSWORD "o:pen +=sesame"
#define SIM_VM "vm-1" /* its store is "s.db" */
#define SIM_VM_NAME "web-01"

/* sim_start() with REST on 127.0.0.1 beside the channel. The port is any for the first start of a
 * test and the same for those that follow. Further arguments (ending in NULL; NULL: none) come
 * last, so a repeated option counts. */
void sim_start_rest(const char *const *arguments);
#define sim_start_rest_with(...) sim_start_rest((const char *const[]){__VA_ARGS__, NULL})

/* "https://127.0.0.1:PORT". Valid until the next call. */
const char *sim_rest_url(void);
uint16_t sim_rest_port(void);

/* The virtual machine's SOURCE, by its id, and the options that reach it with `others` behind them
 * (NULL or empty: none). Valid until the next call. */
const char *sim_rest_source(void);
const char *sim_rest_options(const char *others);

/* How many sessions there are. */
size_t sim_sessions(void);

/* Writes NAME.pem and NAME.key, made for these alternative names, such as "DNS:localhost"; by the
 * authority of SIM_CA, or by itself. */
void sim_make_certificate(const char *name, const char *alternatives, bool self_signed);

#endif
