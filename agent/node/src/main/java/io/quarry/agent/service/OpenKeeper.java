package io.quarry.agent.service;

import io.quarry.agent.check.OpenReview;
import io.quarry.agent.fix.FixStore;
import io.quarry.agent.fix.UploadActivity;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.ThisHost;
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
 * <p>For the housekeeper's thread.
 */
final class OpenKeeper {
  private static final Logger LOG = LoggerFactory.getLogger(OpenKeeper.class);

  /** An agent that comes and goes for less keeps what it reads. */
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
   * What this host had open in earlier boots. The host itself knows for certain in which boot it
   * is, so that no host judges by an old registration of another one.
   */
  void endDead(ConnectedRepository repository) {
    HostBoot boot = host.boot();
    if (boot == null) {
      return;
    }
    List<Open> dead =
        repository.state().repository().opens().values().stream()
            .filter(open -> EndDeadOpens.isDead(open, host.id(), boot))
            // A container that starts anew may get another boot id, and its machines live on.
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
   * What an agent itself had open, in a life that is over. No proof of death is needed: who reads
   * looks whether its open is still there before it gives anything for certain.
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

  /** Uploads that nobody has gone on with for their time-out. */
  void endIdleUploads(ConnectedRepository repository) {
    FixStore store = new FixStore(repository.storage());
    for (Open open : repository.state().repository().opens().values()) {
      // Most are too young to be worth a look at the storage.
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
