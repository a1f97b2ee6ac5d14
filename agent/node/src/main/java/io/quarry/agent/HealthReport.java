package io.quarry.agent;

import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.HostClock;
import io.quarry.agent.server.Health;
import io.quarry.agent.service.Repositories;
import io.quarry.coordinator.cluster.ClusterConnection;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.thread.Supervisor;
import io.quarry.coordinator.thread.Tally;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** The answer of {@code /health}: not ok while a part of this agent does not work. */
final class HealthReport {
  private final String hostId;
  private final ClusterConnection cluster;
  private final Repositories repositories;
  private final Supplier<Map<String, String>> waiting;
  private final Supervisor supervisor;
  private final HostClock clock;

  /**
   * @param waiting repositories that are not connected yet, and the reasons
   */
  HealthReport(
      String hostId,
      ClusterConnection cluster,
      HostRegistry hosts,
      Repositories repositories,
      Supplier<Map<String, String>> waiting,
      Supervisor supervisor) {
    this.hostId = hostId;
    this.cluster = cluster;
    this.repositories = repositories;
    this.waiting = waiting;
    this.supervisor = supervisor;
    this.clock = new HostClock(hosts);
  }

  /**
   * @param ready whether the agent has started all of its parts
   */
  Health now(boolean ready) {
    List<String> reasons = new ArrayList<>();
    if (!ready) {
      reasons.add("the agent is starting");
    }
    if (!cluster.connected()) {
      reasons.add(
          "ZooKeeper does not answer, so that elections and new fixes wait; see that it runs and is"
              + " reached from this host");
    }
    for (String name : supervisor.dead()) {
      reasons.add("thread " + name + " has ended; start the agent again");
    }
    for (Tally tally : supervisor.tallies()) {
      if (tally.keepsFailing()) {
        reasons.add("thread " + tally.name() + " keeps failing: " + tally.last());
      }
    }
    for (ConnectedRepository repository : repositories.all()) {
      String trouble = Repositories.trouble(repository);
      if (trouble != null) {
        reasons.add("repository " + repository.repoId() + ": " + trouble);
      }
    }
    waiting
        .get()
        .forEach((repoId, why) -> {
          if (repositories.expects(repoId)) {
            reasons.add("repository " + repoId + " is not connected: " + why);
          }
        });
    Map<String, String> details = new TreeMap<>();
    details.put("started", Boolean.toString(ready));
    details.put("hostId", hostId);
    details.put("zookeeper", cluster.connected() ? "connected" : "unreachable");
    details.put("repositories", Integer.toString(repositories.all().size()));
    details.put("threads", threads());
    details.put("clock", Objects.requireNonNullElse(clock.fault(), "ok"));
    String unfit =
        repositories.all().stream()
            .filter(repository -> repository.whyUnfitToLead() != null)
            .map(repository -> repository.repoId() + ": " + repository.whyUnfitToLead())
            .collect(Collectors.joining("; "));
    details.put("leads", unfit.isEmpty() ? "whatever it is elected for" : "not " + unfit);
    if (!reasons.isEmpty()) {
      details.put("reason", String.join("; ", reasons));
    }
    return new Health(reasons.isEmpty(), details);
  }

  /**
   * Threads that have failed, also those that have recovered since: operators may look for the
   * reason.
   */
  private String threads() {
    String failed =
        supervisor.tallies().stream()
            .filter(tally -> tally.failures() > 0)
            .map(tally -> tally.name() + " failed " + tally.failures() + " times: " + tally.last())
            .collect(Collectors.joining("; "));
    return failed.isEmpty() ? "ok" : failed;
  }
}
