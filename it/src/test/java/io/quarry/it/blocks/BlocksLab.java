package io.quarry.it.blocks;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.dev.DeleteTree;
import io.quarry.it.blocks.FlawedDevice.Flaw;
import io.quarry.it.log.LogJudge;
import io.quarry.it.log.SharedLog;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.LabVm;
import io.quarry.it.vm.SharedDisk;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;

/**
 * Two hosts commit to one log on a disk that they share, while they die and sleep, or lose power.
 */
@Timeout(7200)
final class BlocksLab {
  private static final int KILLS = Integer.getInteger("quarry.lab.kills", 1);
  private static final int PAUSES = Integer.getInteger("quarry.lab.pauses", 1);
  private static final int COMMITS = Integer.getInteger("quarry.lab.commits", 500);

  private static final int CUTS = Integer.getInteger("quarry.lab.cuts", 1);
  private static final int COMMITS_PER_CUT = 100;

  /** Of the other host, while one is away. */
  private static final int COMMITS_MEANWHILE = 20;

  private final Random random = new Random(1);
  private Path directory = Path.of("");
  private Path image = Path.of("");

  @BeforeEach
  void makeDisk(TestInfo test) throws Exception {
    directory = Lab.emptyDirectory(test);
    image = directory.resolve("shared.raw");
    SharedLog.makeDisk(image);
  }

  @AfterEach
  void removeDisk() throws Exception {
    Files.deleteIfExists(image);
  }

  @Test
  void acknowledgedCommitsOutliveKillsAndPauses() throws Exception {
    try (SharedDisk disk = SharedDisk.ofFile(directory, image);
        Follower follower = new Follower(image)) {
      Contest contest = new Contest(disk, Flaw.NONE);
      contest.startAll();
      contest.awaitTotal(COMMITS_MEANWHILE);
      follower.start();
      List<Boolean> kills = new ArrayList<>(Collections.nCopies(KILLS, true));
      kills.addAll(Collections.nCopies(PAUSES, false));
      Collections.shuffle(kills, random);
      for (int i = 0; i < kills.size(); i++) {
        contest.awaitTotal(COMMITS * (i + 1) / (kills.size() + 1));
        disturb(contest, disk, kills.get(i));
      }
      contest.awaitTotal(COMMITS);
      disk.switchOff();
      Follower.Seen seen = follower.stop();
      System.out.printf("follower: %d ids, %d gaps%n", seen.times().size(), seen.gaps());
      LogJudge verdict = contest.judge(image);
      assertThat(verdict.allIsWell()).as(verdict::toString).isTrue();
      assertThat(seen.repeated()).isEmpty();
    }
  }

  private void disturb(Contest contest, SharedDisk disk, boolean kill) throws Exception {
    int which = random.nextInt(2);
    LabVm host = disk.hosts().get(which);
    LabVm other = disk.hosts().get(1 - which);
    if (kill) {
      host.cutPower();
      contest.awaitMore(other, COMMITS_MEANWHILE);
      host.start();
      contest.start(host);
    } else {
      host.pause();
      contest.awaitMore(other, COMMITS_MEANWHILE);
      host.resume();
    }
    contest.awaitMore(host, COMMITS_MEANWHILE);
  }

  /** A host that sleeps while it leads, and does not see that another one leads now. */
  @Test
  void judgeFindsWhatAHostLosesThatDoesNotLookAtTheCells() throws Exception {
    try (SharedDisk disk = SharedDisk.ofFile(directory, image)) {
      Contest contest = new Contest(disk, Flaw.NO_LOOK_AFTER_A_FRAME);
      LabVm leading = disk.hosts().getFirst();
      LabVm other = disk.hosts().getLast();
      contest.start(leading);
      contest.awaitMore(leading, COMMITS_MEANWHILE);
      leading.pause();
      contest.start(other);
      contest.awaitMore(other, COMMITS_MEANWHILE);
      leading.resume();
      contest.awaitMore(leading, COMMITS_MEANWHILE);
      disk.switchOff();
      LogJudge verdict = contest.judge(image);
      System.out.println("no look at the cells: " + verdict);
      assertThat(verdict.allIsWell()).isFalse();
    }
  }

  @Test
  void acknowledgedCommitsOutlivePowerCuts() throws Exception {
    LogJudge verdict = judgeAfterPowerCuts(Flaw.NONE, CUTS);
    assertThat(verdict.allIsWell()).as(verdict::toString).isTrue();
  }

  /** Hosts that do not flush the disk's cache: the judge has to notice. */
  @Test
  void judgeFindsWhatHostsLoseThatDoNotForceTheirWrites() throws Exception {
    LogJudge verdict = judgeAfterPowerCuts(Flaw.NEVER_FORCES, 1);
    System.out.println("no forces: " + verdict);
    assertThat(verdict.allIsWell()).isFalse();
  }

  /** The disk and both hosts lose their power together. */
  private LogJudge judgeAfterPowerCuts(Flaw flaw, int cuts) throws Exception {
    Path sockets = Files.createTempDirectory("lab");
    Path socket = sockets.resolve("disk");
    try (VolatileDisk served = new VolatileDisk(image, socket);
        SharedDisk disk = SharedDisk.ofServer(directory, socket)) {
      Contest contest = new Contest(disk, flaw);
      for (int cut = 1; cut <= cuts; cut++) {
        contest.startAll();
        contest.awaitTotal(COMMITS_PER_CUT * cut);
        int lost = served.cutPower(random);
        disk.switchOff();
        System.out.printf("power cut %d: %d sectors lost%n", cut, lost);
        if (cut < cuts) {
          served.restorePower();
          disk.boot();
        }
      }
      return contest.judge(image);
    } finally {
      DeleteTree.of(sockets);
    }
  }
}
