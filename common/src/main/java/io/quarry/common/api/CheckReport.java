package io.quarry.common.api;

import java.util.List;

/**
 * @param fixes every fix the repository could do with, most urgent first
 * @param problems what no fix can put right, worst first
 * @param commit the sequence number of the state that was checked
 */
public record CheckReport(List<Fix> fixes, List<Problem> problems, long commit) {
  public CheckReport {
    fixes = List.copyOf(fixes);
    problems = List.copyOf(problems);
  }
}
