package io.quarry.it.failover;

import com.fasterxml.jackson.annotation.JsonIgnore;

/**
 * What one promise came to.
 *
 * @param measured in words, with counts
 * @param load of the machine when it was over: tasks that run or want to, on average of a minute
 */
record Figure(String promise, String goal, String measured, boolean met, double load) {
  @JsonIgnore
  String row() {
    return "| %s | %s | %s | %s |%n    (load %.1f)"
        .formatted(promise, goal, measured, met ? "met" : "NOT MET", load);
  }
}
