package io.quarry.coordinator.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.coordinator.log.MemorySlotStore.PutFault;
import io.quarry.coordinator.log.SlotStore.Put;
import io.quarry.coordinator.log.SlotStore.Reserve;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class MemorySlotStoreTest extends FileLikeStoreContract {
  private static final byte[] ONE = {1};
  private static final byte[] TWO = {2};

  private final MemoryDisk disk = MemoryDisk.empty();
  private final MemorySlotStore store = new MemorySlotStore(disk);

  @Override
  protected SlotStore store() {
    return store;
  }

  @Test
  void lostReplyLeavesTheContent() throws Exception {
    store.nextPuts(PutFault.LOST_REPLY);
    assertThatThrownBy(() -> store.putIfAbsent("a", ONE))
        .isInstanceOf(IOException.class)
        .isNotInstanceOf(PutNotStartedException.class);
    assertThat(store.read("a")).isEqualTo(ONE);
  }

  @Test
  void putThatIsSentTwiceMeetsItself() throws Exception {
    store.nextPuts(PutFault.SENT_TWICE);
    assertThat(store.putIfAbsent("a", ONE)).isEqualTo(Put.EXISTS);
    assertThat(store.read("a")).isEqualTo(ONE);
  }

  @Test
  void delayedLinkLandsLaterIfTheNameIsStillFree() throws Exception {
    store.nextPuts(PutFault.DELAYED_LINK, PutFault.DELAYED_LINK);
    assertThatThrownBy(() -> store.putIfAbsent("a", ONE)).isInstanceOf(IOException.class);
    assertThatThrownBy(() -> store.putIfAbsent("b", ONE)).isInstanceOf(IOException.class);
    assertThat(store.list()).isEmpty();
    assertThat(store.putIfAbsent("b", TWO)).isEqualTo(Put.CREATED);
    store.landDelayed();
    assertThat(store.read("a")).isEqualTo(ONE);
    assertThat(store.read("b")).isEqualTo(TWO);
  }

  @Test
  void failureBeforeTheLinkSaysSo() throws Exception {
    store.nextPuts(PutFault.BEFORE_LINK);
    assertThatThrownBy(() -> store.putIfAbsent("a", ONE))
        .isInstanceOf(PutNotStartedException.class);
    assertThat(store.read("a")).isNull();
  }

  @Test
  void fullDiskSaysSoUntilTheBallastIsReleased() throws Exception {
    store.restoreBallast();
    disk.free(0);
    PutNotStartedException refused =
        catchThrowableOfType(PutNotStartedException.class, () -> store.putIfAbsent("a", ONE));
    assertThat(refused.noSpace()).isTrue();
    assertThat(store.releaseBallast(Reserve.ALL)).isTrue();
    assertThat(store.putIfAbsent("a", ONE)).isEqualTo(Put.CREATED);
  }

  @Test
  void failedReadsPass() throws Exception {
    store.putIfAbsent("a", ONE);
    store.failReads(1);
    assertThatThrownBy(() -> store.read("a")).isInstanceOf(IOException.class);
    assertThat(store.read("a")).isEqualTo(ONE);
  }

  @Test
  void frozenListingShowsThePastOfTheDirectoryUntilTheHostPutsSomething() throws Exception {
    store.putIfAbsent("a", ONE);
    store.freezeListing();
    new MemorySlotStore(disk).putIfAbsent("b", TWO);
    assertThat(store.list()).containsExactly("a");
    assertThat(store.read("b")).isEqualTo(TWO);
    store.putIfAbsent("c", ONE);
    assertThat(store.list()).containsExactlyInAnyOrder("a", "b", "c");
  }
}
