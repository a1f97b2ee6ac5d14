package io.quarry.agent.server;

import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;

/** The pages beside the API: health, metrics, the contract itself, and a page for operators. */
final class Pages {
  static final String CONTRACT = "/v1/openapi.yaml";
  private static final String HEALTH = "/health";
  private static final String METRICS = "/metrics";
  private static final String HOME = "/";
  private static final Set<String> ALL = Set.of(CONTRACT, HEALTH, METRICS, HOME);

  private final Supplier<Health> health;
  private final PrometheusMeterRegistry metrics;
  private final byte[] home = Contract.resource(Pages.class, "index.html");

  Pages(Supplier<Health> health, PrometheusMeterRegistry metrics) {
    this.health = health;
    this.metrics = metrics;
  }

  boolean has(String path) {
    return ALL.contains(path);
  }

  Answer answer(String path) {
    return switch (path) {
      case CONTRACT -> Answer.of("application/yaml", Contract.text());
      case HEALTH -> health();
      case METRICS ->
          Answer.of(
              "text/plain; version=0.0.4; charset=utf-8",
              metrics.scrape().getBytes(StandardCharsets.UTF_8));
      default -> Answer.of("text/html; charset=utf-8", home);
    };
  }

  private Answer health() {
    Health now = health.get();
    TreeMap<String, String> body = new TreeMap<>(now.details());
    body.put("status", now.ok() ? "ok" : "unavailable");
    return Answer.json(now.ok() ? 200 : 503, body);
  }
}
