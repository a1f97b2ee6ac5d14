package io.quarry.agent.storage.block;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.coordinator.log.CommitLog;
import io.quarry.coordinator.log.CommitLog.Outcome;
import io.quarry.coordinator.log.Contender;
import io.quarry.coordinator.sim.Baton;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A host overwrites its oldest frames just while a new leader reads its ring, and dies. */
class RingReuseTest {
  private static final Layout LAYOUT = Layout.ofRing(40 << 10);
  private static final int OLD_SLOT = 0;

  private final SimDevice device = new SimDevice(new Random(1));
  private boolean oldDies;
  private boolean oldHasWritten;
  private boolean announced;
  private int left = 12;
  private final List<String> acknowledged = new ArrayList<>();
  private Consumer<String> onNewStep = step -> {};

  private BlockSlotStore host(int number, Consumer<String> onStep) {
    return new BlockSlotStore(
        device.host(onStep),
        LAYOUT,
        BlockStorage.KEY,
        new TestSlot(number),
        8,
        turn -> {},
        frame -> {});
  }

  static List<Integer> commits() {
    List<Integer> all = new ArrayList<>();
    for (int i = 1; i <= 24; i++) {
      all.add(i);
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("commits")
  void newLeaderKnowsAllThatWasAcknowledged(int commits) throws Exception {
    BlockSlotStore old = host(1, this::onOldStep);
    CommitLog.create(old);
    Contender sdm = Contender.leading(old, "old", 2);
    commit(sdm, commits);
    onNewStep = step -> commitOnce(sdm, step);
    Contender next = new Contender(host(2, step -> onNewStep.accept(step)), "new");
    if (!(next.lead() instanceof Outcome.Committed)) {
      next.lead();
    }
    assertThat(acknowledged)
        .allSatisfy(id -> assertThat(next.state.repository().requests().find(id)).isNotNull());
  }

  private void commit(Contender sdm, int commits) throws IOException {
    for (int i = 0; i < commits; i++) {
      String id = "r" + acknowledged.size();
      assertThat(sdm.commit(id)).isInstanceOf(Outcome.Committed.class);
      acknowledged.add(id);
      if (acknowledged.size() % 3 == 0) {
        sdm.checkpoint();
      }
    }
  }

  /**
   * The old leader goes on at each of the new one's looks. The old leader's last write comes
   * between the new leader's ballot and the look after it.
   */
  private void commitOnce(Contender old, String step) {
    long offset = offset(step);
    boolean inCells = offset >= LAYOUT.cell(0) && offset < LAYOUT.cell(Layout.SLOTS);
    announced |= step.startsWith("write") && inCells;
    if (!isInOldRing(offset) || (!announced && left == 0)) {
      return;
    }
    try {
      if (announced) {
        onNewStep = more -> {};
        oldDies = true;
        old.commit("last");
      } else {
        left--;
        commit(old, 1);
      }
    } catch (Baton.Died e) {
      // As intended, right after its frame.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void onOldStep(String step) {
    if (oldDies && oldHasWritten && step.startsWith("read")) {
      throw new Baton.Died();
    }
    oldHasWritten |= oldDies && step.startsWith("write") && isInOldRing(offset(step));
  }

  private static boolean isInOldRing(long offset) {
    long inRing = offset - LAYOUT.ring(OLD_SLOT, 0);
    return inRing >= 0 && inRing < LAYOUT.ringBytes();
  }

  /** Where a device reads or writes; −1 for other steps. */
  private static long offset(String step) {
    int space = step.indexOf(' ');
    return space < 0 ? -1 : Long.parseLong(step.substring(space + 1));
  }
}
