package io.quarry.coordinator.sdm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.coordinator.log.MemoryDisk;
import io.quarry.coordinator.log.MemorySlotStore;
import io.quarry.coordinator.log.MemorySlotStore.PutFault;
import io.quarry.coordinator.log.SlotStore.Reserve;
import io.quarry.coordinator.plan.FailFix;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.GrantFixes;
import io.quarry.coordinator.plan.QueueFix;
import io.quarry.coordinator.plan.RemoveImage;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.StopFix;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** A full storage refuses requests that take space, and still takes those that free space. */
class FullStorageTest {
  private static ErrorCode refusal(CompletableFuture<Reply> answer) {
    Throwable thrown = catchThrowable(() -> answer.get(30, TimeUnit.SECONDS));
    return ((StorageException) Objects.requireNonNull(thrown.getCause())).code();
  }

  @Test
  void refusalDoesNotRestOnARequestThatFoundNoSpace() throws Exception {
    MemoryDisk disk = new MemoryDisk();
    Gate gate = new Gate();
    MemorySlotStore store = new MemorySlotStore(disk, gate);
    try (SdmHost host = SdmHost.leading(store, "a")) {
      host.committed(host.create("disk"));
      Awaitility.await().until(disk::hasBallast);
      gate.hold(step -> step.startsWith("put "));
      CompletableFuture<Reply> first = host.create("first");
      Awaitility.await().until(gate::holdsAThread);
      CompletableFuture<Reply> creation = host.create("more");
      CompletableFuture<Reply> removal = host.remove("more");
      CompletableFuture<Reply> good = host.remove("disk");
      disk.free(0);
      gate.open();
      assertThat(refusal(first)).isEqualTo(ErrorCode.NO_SPACE);
      assertThat(refusal(creation)).isEqualTo(ErrorCode.NO_SPACE);
      assertThat(refusal(removal)).isEqualTo(ErrorCode.IMAGE_NOT_FOUND);
      host.committed(good);
    }
  }

  @Test
  void committedRequestIsAnsweredAgainOnAFullStorage() throws Exception {
    MemoryDisk disk = new MemoryDisk();
    Gate gate = new Gate();
    MemorySlotStore store = new MemorySlotStore(disk, gate);
    try (SdmHost host = SdmHost.leading(store, "a")) {
      host.committed(host.create("kept"));
      host.committed(host.create("disk"));
      Request removal = new RemoveImage("disk", false, Duration.ZERO, false);
      Awaitility.await().until(disk::hasBallast);
      disk.free(0);
      host.committed(host.sdm.submit("removal", removal));
      assertThat(store.releaseBallast(Reserve.ALL)).isTrue();
      disk.free(0);
      gate.hold(step -> step.startsWith("put "));
      CompletableFuture<Reply> first = host.create("first");
      Awaitility.await().until(gate::holdsAThread);
      CompletableFuture<Reply> repeat = host.sdm.submit("removal", removal);
      CompletableFuture<Reply> other = host.remove("kept");
      gate.open();
      assertThat(refusal(first)).isEqualTo(ErrorCode.NO_SPACE);
      assertThat(refusal(other)).isEqualTo(ErrorCode.NO_SPACE);
      host.committed(repeat);
    }
  }

  @Test
  void cleaningIsAskedForGrantedAndParkedOnAFullStorage() throws Exception {
    MemoryDisk disk = new MemoryDisk();
    try (SdmHost host = SdmHost.leading(new MemorySlotStore(disk), "a")) {
      host.committed(host.create("kept"));
      host.committed(host.create("disk"));
      host.committed(
          host.sdm.submit("remove", new RemoveImage("disk", false, Duration.ZERO, false)));
      Awaitility.await().until(disk::hasBallast);
      String clean = FixState.cleanId("volume-of-disk");
      String mend = FixState.mendId("volume-of-kept");
      FixState.Worker worker = new FixState.Worker("host", "life");
      disk.free(0);
      assertThat(refusal(host.sdm.submit("ask again", new QueueFix(mend, null))))
          .isEqualTo(ErrorCode.NO_SPACE);
      assertThat(refusal(host.sdm.submit("only it", new GrantFixes(worker, Map.of(mend, 0L)))))
          .isEqualTo(ErrorCode.NO_SPACE);
      assertThat(refusal(host.sdm.submit("failed", new FailFix(mend, "no"))))
          .isEqualTo(ErrorCode.NO_SPACE);
      assertThat(disk.hasBallast()).isTrue();
      host.committed(host.sdm.submit("ask", new QueueFix(clean, null)));
      host.committed(host.sdm.submit("grant", new GrantFixes(worker, Map.of(clean, 0L, mend, 0L))));
      host.committed(host.sdm.submit("fail", new FailFix(clean, "no")));
      host.committed(host.sdm.submit("stop", new StopFix(mend, "enough")));
    }
  }

  /** A canary or a connect of any host takes from the ballast, without the SDM's knowledge. */
  @Test
  void ballastThatOtherHostsHaveTakenIsRestored() throws Exception {
    MemoryDisk disk = new MemoryDisk();
    MemorySlotStore store = new MemorySlotStore(disk);
    try (SdmHost host = SdmHost.leading(store, "a")) {
      host.committed(host.create("disk"));
      Awaitility.await().until(disk::hasBallast);
      assertThat(store.releaseBallast(Reserve.ALL)).isTrue();
      assertThat(disk.hasBallast()).isFalse();
      host.createUntil(disk::hasBallast);
    }
  }

  @Test
  void unknownOutcomeOnTheBallastIsToldAsSuch() throws Exception {
    MemoryDisk disk = new MemoryDisk();
    MemorySlotStore store = new MemorySlotStore(disk);
    try (SdmHost host = SdmHost.leading(store, "a")) {
      host.committed(host.create("disk"));
      Awaitility.await().until(disk::hasBallast);
      disk.free(0);
      store.nextPuts(PutFault.NONE, PutFault.NONE, PutFault.DELAYED_LINK, PutFault.BEFORE_LINK);
      assertThat(refusal(host.remove("disk"))).isEqualTo(ErrorCode.OUTCOME_UNKNOWN);
      Awaitility.await().until(() -> !host.listener.ends().isEmpty());
    }
  }
}
