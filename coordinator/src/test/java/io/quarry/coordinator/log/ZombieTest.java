package io.quarry.coordinator.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Zombies of {@link ZombieContract} where a vacuum frees names. */
class ZombieTest {
  @Test
  void zombiesThatWakeDuringAVacuumAcknowledgeNothingThatIsNotThere() throws Exception {
    for (int pause = 1; pause <= ZombieHistory.KNOWN + 4; pause++) {
      for (boolean oldestFirst : new boolean[] {true, false}) {
        MemoryDisk disk = new MemoryDisk();
        ZombieHistory history = new ZombieHistory(new MemoryStorage(disk));
        List<Contender> zombies = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          zombies.add(history.zombie("zombie" + i));
          history.leader.commit("known" + i);
        }
        List<Contender> waking = oldestFirst ? zombies : zombies.reversed();
        String what = "at deletion " + pause + ", oldest first: " + oldestFirst;
        new Checkpointer(new MemorySlotStore(disk)).checkpoint(history.leader.before);
        AtomicInteger deletions = new AtomicInteger(pause);
        MemorySlotStore slow =
            new MemorySlotStore(
                disk,
                step -> {
                  if (step.startsWith("delete") && deletions.decrementAndGet() == 0) {
                    waking.forEach(zombie -> check(history, what, zombie));
                  }
                });
        new Checkpointer(slow).checkpoint(history.leader.state);
        history.checkStillWorks(what);
      }
    }
  }

  private static void check(ZombieHistory history, String what, Contender zombie) {
    try {
      history.checkTruth(what, zombie, "by " + zombie.name);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void vacuumThatOverlooksANameFreesNoneAfterIt() throws Exception {
    MemoryDisk disk = new MemoryDisk();
    ZombieHistory history = new ZombieHistory(new MemoryStorage(disk));
    Contender zombie = history.zombie("zombie");
    Contender next = history.goOn(4, List.of());
    new Checkpointer(new MemorySlotStore(disk)).checkpoint(next.before);
    MemorySlotStore overlooking = new MemorySlotStore(disk);
    overlooking.overlookOnce(Names.record(ZombieHistory.KNOWN));
    new Checkpointer(overlooking).checkpoint(next.state);
    history.checkTruth("overlooked", zombie, "z1");
    history.checkStillWorks("overlooked");
  }
}
