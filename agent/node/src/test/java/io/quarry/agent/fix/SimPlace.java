package io.quarry.agent.fix;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.storage.block.BlockStorage;
import io.quarry.agent.storage.directory.SimStorage;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.log.HostileStorage;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.log.SimLog;
import io.quarry.coordinator.log.TrueLog;
import io.quarry.coordinator.plan.CancelRequest;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.sim.Life;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One repository as it truly is: its log as it grew, and the expected content of its volumes. */
final class SimPlace {
  /** A ring that is full soon, and one that never is. */
  private static final List<Long> RING_BYTES = List.of(128L << 10, 512L << 10);

  private final String key;
  private final Path root;
  private final Function<String, SimPlace> places;
  private final @Nullable BlockStorage blocks;
  private final TrueLog truth = new TrueLog();
  private final Map<String, SimContent> contents = new HashMap<>();
  private final Map<String, Reply> acknowledged = new HashMap<>();
  private final Set<String> refused = new TreeSet<>();
  private long newestTold;

  /**
   * @param root on a mount that never fails
   * @param places all repositories, by key
   * @param blocks decides what becomes of writes to a device that has the log; null when the log is
   *     in files
   */
  SimPlace(String key, Path root, Function<String, SimPlace> places, @Nullable Random blocks)
      throws IOException {
    this.key = key;
    this.root = root;
    this.places = places;
    this.blocks =
        blocks == null
            ? null
            : BlockStorage.ofThreads(blocks, RING_BYTES.get(blocks.nextInt(2)), this::linked);
  }

  /** The log on blocks, as the next life of a host sees it; null when the log is in files. */
  HostileStorage.@Nullable Host blocks(String host, Consumer<String> beforeEachStep, Life life) {
    return blocks == null ? null : blocks.host(host, beforeEachStep, life);
  }

  /** The log as a new reader sees it. */
  LogState read() throws IOException {
    try (var storage = SimStorage.open(root, key, "reader");
        Replica reader =
            SimLog.replica(key, blocks == null ? storage.slots() : blocks.calm(), () -> {})) {
      assertThat(reader.unreadable()).as("damage of %s", key).isNull();
      return reader.state();
    }
  }

  /** How often a host has made a part of the log on blocks durable. */
  int forces() {
    return blocks == null ? 0 : blocks.forces();
  }

  String key() {
    return key;
  }

  Path root() {
    return root;
  }

  LogState newest() {
    return truth.latest();
  }

  RepositoryState state() {
    return truth.latest().repository();
  }

  /** A life has linked a name in the log. */
  void linked(String name, byte[] content) {
    RepositoryState before = state();
    truth.linked(name, content);
    RepositoryState after = state();
    if (before != after) {
      follow(before, after);
    }
  }

  private void follow(RepositoryState before, RepositoryState after) {
    for (Volume volume : after.volumes().values()) {
      Volume was = before.volumes().get(volume.id());
      if (was == null) {
        contents.put(volume.id(), firstContent(volume));
      }
      boolean published = volume.stage() == Volume.Stage.READY;
      if (published && (was == null || was.stage() != Volume.Stage.READY)) {
        check(volume);
      }
    }
    for (FixState fix : after.fixes().values()) {
      assertThat(fix.failures()).as("%s failed: %s", fix.id(), fix.lastError()).isZero();
    }
  }

  /** The content of a source does not change any more once the source is pinned. */
  private SimContent firstContent(Volume volume) {
    if (volume.source() == null) {
      return SimContent.zeros();
    }
    SimPlace holder = places.apply(volume.source().repositoryKey());
    Image source = holder.state().images().get(volume.source().imageId());
    assertThat(source).as("%s", volume.source()).isNotNull();
    return holder.content(Objects.requireNonNull(source).volumeId()).copy();
  }

  /** The expected content of a raw volume. */
  SimContent content(String volumeId) {
    return Objects.requireNonNull(contents.get(volumeId), volumeId);
  }

  /** Every published file exists and has the right content. */
  void checkFiles() {
    for (Volume volume : state().volumes().values()) {
      if (volume.stage() == Volume.Stage.READY) {
        check(volume);
      }
    }
  }

  private void check(Volume volume) {
    Path file = root.resolve("volumes").resolve(String.valueOf(volume.file()));
    try {
      byte[] found = Files.readAllBytes(file);
      if (volume.format() == VolumeFormat.RAW) {
        content(volume.id()).check(found, file.toString());
      }
    } catch (IOException e) {
      throw new AssertionError(volume + " is published", e);
    }
  }

  void acknowledge(String requestId, Reply reply) {
    acknowledged.put(requestId, reply);
    newestTold = Math.max(newestTold, reply.commit());
    truth.checkAcknowledged(requestId, reply);
  }

  /** The newest commit that any caller knows. */
  long newestTold() {
    return newestTold;
  }

  /** A caller was told that its request cannot be done: no try of it may be committed. */
  void refuse(String requestId) {
    refused.add(requestId);
    checkNothingOf(requestId);
  }

  /** A caller was told that its request had no effect. */
  void checkNothingOf(String requestId) {
    Reply reply = state().requests().find(requestId);
    if (reply == null || !CancelRequest.made(reply)) {
      assertThat(reply).as("reported as not committed: %s", requestId).isNull();
    }
  }

  void powerCut(Random random) throws IOException {
    if (blocks != null) {
      blocks.powerCut(random);
    }
    LogState left = read();
    truth.powerCut(left);
    checkFiles();
    checkLog(left);
  }

  /** A fresh reader sees the whole log, and all commits that any caller knows. */
  void checkLog() throws IOException {
    checkLog(read());
  }

  private void checkLog(LogState seen) {
    truth.checkWhole(seen);
    acknowledged.forEach(truth::checkAcknowledged);
    refused.forEach(this::checkNothingOf);
  }
}
