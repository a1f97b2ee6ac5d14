package io.quarry.it.failover;

import com.fasterxml.jackson.annotation.JsonIgnore;

/**
 * The measurement of one promise.
 *
 * @param measured in words, with counts
 * @param load the machine's load average of the last minute, at the end
 */
record Figure(String promise, String goal, String measured, boolean met, double load) {
  @JsonIgnore
  String row() {
    return "| %s | %s | %s | %s |%n    (load %.1f)"
        .formatted(promise, goal, measured, met ? "met" : "NOT MET", load);
  }
}
