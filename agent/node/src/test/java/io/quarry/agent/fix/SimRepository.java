package io.quarry.agent.fix;

import io.quarry.agent.repository.Repository;
import io.quarry.agent.storage.RepositoryStorage;
import io.quarry.agent.storage.directory.SimStorage;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.HostileStorage;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.log.SimLog;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.RequestId;
import io.quarry.coordinator.sdm.Sdm;
import io.quarry.coordinator.sdm.SimSdm;
import java.io.IOException;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** A repository as one life of one host connects it: real log, real replica, real SDM. */
final class SimRepository implements Repository {
  private static final int LOOKS_MAX = 5;

  private final SimWorld world;
  private final SimLife life;
  private final SimPlace place;
  private final RepositoryStorage storage;
  private final HostileStorage.@Nullable Host blocks;
  private final Replica replica;
  private final Sdm sdm;

  SimRepository(SimWorld world, SimLife life, SimPlace place) throws IOException {
    this.world = world;
    this.life = life;
    this.place = place;
    String writer = life.self().incarnation();
    this.storage =
        SimStorage.open(life.files().getPath(place.root().toString()), place.key(), writer);
    this.blocks = place.blocks(life.self().hostId(), life::reach, life.life());
    SlotStore slots = blocks == null ? storage.slots() : blocks.store();
    this.replica = SimLog.replica(place.key(), slots, () -> life.life().step("waits for the view"));
    this.sdm = SimSdm.of(slots, replica, writer, life.clock(), world.baton(), life.life());
  }

  /**
   * Decides whether the device of the log is to fail soon, if there is one. A host that fails while
   * it wins a slot may waste the slot.
   */
  void disturb(Random random) throws IOException {
    if (blocks != null && sdm.leading() && random.nextInt(3) == 0) {
      blocks.disturb(random);
    }
  }

  Sdm sdm() {
    return sdm;
  }

  /** Whether the log looked damaged, as it can in a late view of a shared directory. */
  boolean damaged() {
    return replica.unreadable() != null;
  }

  @Override
  public String repoId() {
    return place.key();
  }

  @Override
  public String key() {
    return place.key();
  }

  @Override
  public RepositoryStorage storage() {
    return storage;
  }

  @Override
  public boolean responsive() {
    return true;
  }

  @Override
  public LogState state() {
    return replica.state();
  }

  @Override
  public LogState refresh() throws IOException {
    return replica.refresh();
  }

  @Override
  public LogState atLeast(long commit) {
    for (int i = 0; i < LOOKS_MAX && state().sequence() < commit; i++) {
      try {
        refresh();
      } catch (IOException e) {
        life.life().step("cannot read the log");
      }
    }
    if (state().sequence() < commit) {
      throw new StorageException(
          ErrorCode.REPOSITORY_UNRESPONSIVE, "commit " + commit, repoId(), "repeat the call");
    }
    return state();
  }

  @Override
  public Reply commit(RequestId requestId, Request request) {
    return world.requests().submit(place, life.life(), requestId.value(), request, () -> {});
  }
}
