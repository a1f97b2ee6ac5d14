/**
 * The agent's HTTP server: the API for clients and for other agents, metrics, and the console's
 * files.
 */
@NullMarked
package io.quarry.agent.server;

import org.jspecify.annotations.NullMarked;
