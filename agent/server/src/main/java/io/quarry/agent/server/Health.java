package io.quarry.agent.server;

import java.util.Map;

/**
 * The answer of {@code /health}.
 *
 * @param ok whether the API can serve
 * @param details shown beside the status; they name the fault when the API cannot serve
 */
public record Health(boolean ok, Map<String, String> details) {
  public Health {
    details = Map.copyOf(details);
  }
}
