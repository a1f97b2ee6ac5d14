package io.quarry.coordinator.sdm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.Replica;
import io.quarry.coordinator.log.SlotStore;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.RemoveImage;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.thread.Deadline;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.awaitility.Awaitility;

/** One host with one repository: a replica and an SDM over a store. */
public final class SdmHost implements AutoCloseable {
  final RecordingListener listener = new RecordingListener();
  final Supervisor supervisor = new Supervisor();
  final Replica replica;
  public final Sdm sdm;

  SdmHost(SlotStore store, String name) throws IOException {
    replica = new Replica("main", store);
    replica.follow(supervisor);
    sdm = new Sdm(store, replica, name, InstantSource.system(), listener, supervisor);
  }

  public static SdmHost leading(SlotStore store, String name) throws IOException {
    SdmHost host = new SdmHost(store, name);
    host.lead();
    return host;
  }

  /** A host on a storage that has no log yet. */
  public static SdmHost fresh(SlotStore store, String name) throws IOException {
    CommitLog.create(store);
    return leading(store, name);
  }

  void lead() {
    sdm.lead();
    Awaitility.await().until(sdm::leading);
  }

  /** Submits a request whose id is also the disk's id. */
  public CompletableFuture<Reply> create(String disk) {
    return sdm.submit(disk, disk(disk));
  }

  public CompletableFuture<Reply> remove(String disk) {
    return sdm.submit("remove " + disk, new RemoveImage(disk, true, Duration.ZERO, false));
  }

  public Reply committed(CompletableFuture<Reply> answer) throws Exception {
    return answer.get(30, TimeUnit.SECONDS);
  }

  /** Creates disks until the commits have led to that condition. */
  void createUntil(BooleanSupplier happened) throws Exception {
    Deadline end = Deadline.after(Duration.ofMinutes(1));
    for (int i = 0; !happened.getAsBoolean(); i++) {
      assertThat(end.passed()).isFalse();
      committed(create("until-" + i));
    }
  }

  boolean knows(String disk) {
    return replica.state().repository().images().containsKey(disk);
  }

  static Request disk(String id) {
    return disk(id, "");
  }

  static Request disk(String id, String label) {
    return new CreateVirtualDisk(
        id,
        "volume-of-" + id,
        1 << 20,
        null,
        null,
        Strategy.SPACE,
        true,
        JsonNodeFactory.instance.objectNode().put("label", label),
        null);
  }

  @Override
  public void close() {
    sdm.close();
    replica.close();
  }
}
