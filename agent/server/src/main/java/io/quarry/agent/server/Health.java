package io.quarry.agent.server;

import java.util.Map;

/**
 * What {@code /health} says.
 *
 * @param ok whether the API can serve
 * @param details shown beside the status; what is wrong when it is not ok
 */
public record Health(boolean ok, Map<String, String> details) {
  public Health {
    details = Map.copyOf(details);
  }
}
