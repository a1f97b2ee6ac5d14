package io.quarry.agent;

import io.quarry.agent.fix.FixScheduler;
import io.quarry.agent.guardian.ExitCode;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Drain;
import io.quarry.agent.repository.HostClock;
import io.quarry.agent.repository.ThisHost;
import io.quarry.agent.service.Repositories;
import io.quarry.coordinator.cluster.ClusterIdentity;
import io.quarry.coordinator.cluster.ClusterUnavailableException;
import io.quarry.coordinator.cluster.HostListener;
import io.quarry.coordinator.cluster.HostLoad;
import io.quarry.coordinator.cluster.HostRecord;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.cluster.HostRejectedException;
import io.quarry.coordinator.cluster.RepositoryOnHost;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.thread.Loop;
import io.quarry.coordinator.thread.Supervisor;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Shows this host in the cluster: its address, its repositories, its load. */
final class Presence implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Presence.class);
  private static final Duration ROUND = Duration.ofSeconds(2);

  private final AgentConfig config;
  private final ThisHost self;
  private final HostRegistry registry;
  private final Repositories repositories;
  private final FixScheduler fixes;
  private final Drain drain;
  private final ClusterIdentity clusterIdentity;
  private final HostClock clock;
  private final Instant startedAt;
  private final Loop loop = new Loop("presence", ROUND, this::show);

  // Used only by the starting thread, and then by the loop's thread:
  private boolean registered;
  private HostRecord shown;
  private @Nullable String clockFault;

  Presence(
      AgentConfig config,
      ThisHost self,
      HostRegistry registry,
      Repositories repositories,
      FixScheduler fixes,
      Drain drain,
      ClusterIdentity clusterIdentity,
      Clock clock) {
    this.config = config;
    this.self = self;
    this.registry = registry;
    this.repositories = repositories;
    this.fixes = fixes;
    this.drain = drain;
    this.clusterIdentity = clusterIdentity;
    this.clock = new HostClock(registry);
    this.startedAt = clock.instant();
    this.shown = record();
  }

  /**
   * Returns after the first try, so that the host's clock is known before a repository is
   * connected.
   */
  void start(Supervisor supervisor) {
    registry.onChange(
        new HostListener() {
          @Override
          public void hostsChanged() {}

          @Override
          public void rejected(HostRejectedException why) {
            end(why);
          }
        });
    drain.onChange(this::changed);
    show();
    loop.start(supervisor);
  }

  /** This host has connected or disconnected a repository. */
  void changed() {
    loop.wake();
  }

  private void show() {
    try {
      HostRecord now = record();
      if (!registered) {
        registry.register(now);
        registered = true;
      } else if (!now.equals(shown)) {
        registry.update(now);
      }
      shown = now;
      // Restores the cluster's name in a wiped ensemble.
      var _ = clusterIdentity.read(() -> UUID.randomUUID().toString());
      noteClock();
    } catch (ClusterUnavailableException e) {
      LOG.info("Not registered yet, ZooKeeper does not answer: {}", e.toString());
    } catch (HostRejectedException e) {
      end(e);
    }
  }

  private void noteClock() {
    String fault = clock.fault();
    if ((fault == null) != (clockFault == null)) {
      LOG.warn("Host {}: {}", config.hostId(), fault == null ? "its clock is right again" : fault);
    }
    clockFault = fault;
  }

  /** Ends this agent: two agents of one name would overwrite each other's records. */
  private void end(HostRejectedException why) {
    LOG.error("Host {} is not wanted in the cluster: {}", config.hostId(), why.getMessage());
    Runtime.getRuntime().halt(ExitCode.FAILED);
  }

  private HostRecord record() {
    Map<String, RepositoryOnHost> connected = new HashMap<>();
    for (ConnectedRepository repository : repositories.all()) {
      boolean healthy = repository.workable() && repository.replica().trouble() == null;
      connected.put(
          repository.key(),
          new RepositoryOnHost(repository.repoId(), repository.identity().format(), healthy));
    }
    return new HostRecord(
        self.id(),
        self.worker().incarnation(),
        config.advertise().toString(),
        startedAt,
        connected,
        new HostLoad(fixes.runningFixes(), config.heavyFixesMax(), 0),
        Version.TEXT,
        drain.since(),
        Feature.names(Feature.KNOWN),
        null,
        self.booted());
  }

  @Override
  public void close() {
    loop.close();
  }
}
