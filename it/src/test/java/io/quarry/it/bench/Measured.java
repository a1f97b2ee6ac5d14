package io.quarry.it.bench;

import com.fasterxml.jackson.annotation.JsonIgnore;
import org.jspecify.annotations.Nullable;

/**
 * One figure.
 *
 * @param peer the peer of the measurement, with its figure
 * @param ratio value / peer
 * @param goal in words; null when there is none
 * @param met null when there is no goal
 */
record Measured(
    String name,
    double value,
    String unit,
    @Nullable String peer,
    @Nullable Double ratio,
    @Nullable String goal,
    @Nullable Boolean met) {

  static Measured plain(String name, double value, String unit) {
    return new Measured(name, value, unit, null, null, null, null);
  }

  static Measured atLeast(String name, double value, String unit, double goal) {
    return new Measured(name, value, unit, null, null, "≥ " + goal + " " + unit, value >= goal);
  }

  static Measured atMost(String name, double value, String unit, double goal) {
    return new Measured(name, value, unit, null, null, "≤ " + goal + " " + unit, value <= goal);
  }

  /** A ratio to a peer that has an upper limit. */
  static Measured ratio(
      String name, double value, String unit, String peer, double peerValue, double ratioMax) {
    double ratio = value / peerValue;
    return new Measured(
        name,
        value,
        unit,
        "%s: %.4g %s".formatted(peer, peerValue, unit),
        ratio,
        "≤ " + ratioMax + " × peer",
        ratio <= ratioMax);
  }

  @JsonIgnore
  String row() {
    return "%-52s %12.4g %-10s %-44s %6s  %-20s %s"
        .formatted(
            name,
            value,
            unit,
            peer == null ? "" : peer,
            ratio == null ? "" : "%.2f".formatted(ratio),
            goal == null ? "" : goal,
            met == null ? "" : met ? "met" : "NOT MET");
  }
}
