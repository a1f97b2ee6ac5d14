package io.quarry.agent.service;

import io.quarry.agent.check.OpenReview;
import io.quarry.agent.fix.UploadActivity;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.ThisHost;
import io.quarry.agent.storage.WorkStore;
import io.quarry.common.api.OpenInfo;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.plan.CloseImage;
import io.quarry.coordinator.plan.EndDeadOpens;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.Open;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the opens whose users are known to be gone.
 *
 * <p>Only the housekeeper's thread uses this class.
 */
final class OpenKeeper {
  private static final Logger LOG = LoggerFactory.getLogger(OpenKeeper.class);

  /** An agent that is absent for a shorter time keeps its opens for reading. */
  private static final Duration AGENT_ABSENT = Duration.ofSeconds(5);

  private final ThisHost host;
  private final StorageIo io;
  private final HostRegistry hosts;
  private final OpenReview review;
  private final ForeignWriters foreign;
  private final DiskGrowth growth;

  OpenKeeper(ThisHost host, StorageIo io, HostRegistry hosts, OpenReview review) {
    this.host = host;
    this.io = io;
    this.hosts = hosts;
    this.review = review;
    this.foreign = new ForeignWriters(io);
    this.growth = new DiskGrowth(io);
  }

  /**
   * Ends opens that this host had in earlier boots. The host itself knows its own boot for certain.
   * So no host judges another one by an old registration.
   */
  void endDead(ConnectedRepository repository) {
    HostBoot boot = host.boot();
    if (boot == null) {
      return;
    }
    List<Open> dead =
        repository.state().repository().opens().values().stream()
            .filter(open -> EndDeadOpens.isDead(open, host.id(), boot))
            // A restarted container may get another boot id, while its VMs live on.
            .filter(open -> foreign.of(repository, open) == null)
            .sorted(Comparator.comparing(Open::id))
            .toList();
    for (int from = 0; from < dead.size(); from += EndDeadOpens.OPENS_MAX) {
      List<Open> some = dead.subList(from, Math.min(dead.size(), from + EndDeadOpens.OPENS_MAX));
      LOG.info(
          "This host has booted: {} opens of earlier boots end in {}",
          some.size(),
          repository.repoId());
      growth.adopt(repository, some);
      List<String> ids = some.stream().map(Open::id).toList();
      repository.commit(UUID.randomUUID().toString(), new EndDeadOpens(host.id(), boot, ids));
    }
  }

  /**
   * Ends opens of agents whose life is over. No proof of death is needed: a reading agent checks
   * that its open still exists before it delivers data as certain.
   */
  void reapReaders(ConnectedRepository repository) {
    for (Open open : repository.state().repository().opens().values()) {
      String incarnation = open.incarnation();
      if (incarnation != null && hosts.absentFor(incarnation).compareTo(AGENT_ABSENT) > 0) {
        LOG.info("Closing image {}, which {} does not read any more", open.imageId(), incarnation);
        close(repository, open);
      }
    }
  }

  /** Ends uploads that received no range for their time-out. */
  void endIdleUploads(ConnectedRepository repository) {
    WorkStore store = repository.storage().work();
    for (Open open : repository.state().repository().opens().values()) {
      // Most uploads are too young to ask the storage about them.
      if (open.fills() != null && review.isOver(review.upload(open.since()))) {
        Instant active = io.call(repository, () -> UploadActivity.last(store, open));
        OpenInfo.Upload upload = review.upload(active);
        if (review.isOver(upload)) {
          LOG.info(
              "Giving up the upload {} of image {}, which was last active at {}",
              open.id(),
              open.imageId(),
              active);
          close(repository, open);
        }
      }
    }
  }

  private static void close(ConnectedRepository repository, Open open) {
    repository.commit(UUID.randomUUID().toString(), new CloseImage(open.imageId(), open.id()));
  }
}
