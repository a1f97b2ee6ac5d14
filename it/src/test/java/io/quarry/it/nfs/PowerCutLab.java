package io.quarry.it.nfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.data.os.Folder;
import io.quarry.agent.storage.directory.DirectorySlotStore;
import io.quarry.it.log.LogJudge;
import io.quarry.it.vm.GuestJava;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.LabExtension;
import io.quarry.it.vm.LabVm;
import io.quarry.it.vm.NfsServer.Durability;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** The NFS server loses its power while two SDMs on two hosts commit to one log. */
@ExtendWith(LabExtension.class)
@Timeout(7200)
final class PowerCutLab {
  private static final int CUTS = Integer.getInteger("quarry.lab.cuts", 1);

  /** Of each SDM. */
  private static final int COMMITS_PER_CUT = 20;

  /** More than there is time for. */
  private static final int UNTIL_KILLED = 1_000_000;

  @Test
  void acknowledgedCommitsOutlivePowerCutsOfTheServer(Lab lab) throws Exception {
    List<GuestJava> committers = commit(lab, "sync", COMMITS_PER_CUT * (CUTS + 1));
    for (int cut = 1; cut <= CUTS; cut++) {
      for (GuestJava committer : committers) {
        committer.awaitLines("ACKNOWLEDGED", COMMITS_PER_CUT * cut);
      }
      lab.nfs().cutPower();
    }
    for (GuestJava committer : committers) {
      committer.awaitSuccess();
    }
    // What the server has only in its memory does not count.
    lab.nfs().cutPower();
    LogJudge verdict = judge(lab, "sync", committers);
    assertThat(verdict.allIsWell()).as(verdict::toString).isTrue();
  }

  /** A server that acknowledges what it has not written yet: the judge has to notice. */
  @Test
  void judgeFindsWhatAnAsynchronousExportLoses(Lab lab) throws Exception {
    // The kernel must not write by itself at the wrong moment.
    lab.server().run("sysctl -w vm.dirty_writeback_centisecs=0 fs.xfs.xfssyncd_centisecs=720000");
    lab.nfs().export(Durability.ASYNC);
    List<GuestJava> committers = commit(lab, "async", UNTIL_KILLED);
    for (GuestJava committer : committers) {
      committer.awaitLines("ACKNOWLEDGED", COMMITS_PER_CUT);
    }
    List<String> acknowledged = lines(committers, "ACKNOWLEDGED");
    lab.nfs().cutPower();
    for (GuestJava committer : committers) {
      committer.kill();
    }
    lab.nfs().export(Durability.SYNC);
    LogJudge verdict = judge(lab.nfs().fetch("async", lab.directory()), acknowledged, List.of());
    System.out.println("async: " + verdict);
    assertThat(verdict.allIsWell()).isFalse();
  }

  private static List<GuestJava> commit(Lab lab, String repository, int commits) throws Exception {
    lab.nfs().makeDirectories(repository, "log", "tmp");
    List<GuestJava> committers = new ArrayList<>();
    for (LabVm host : lab.hosts()) {
      String mount = lab.nfs().mount(host, "vers=4.2,lookupcache=positive");
      committers.add(
          host.java(
              DirectoryCommitter.class,
              mount + "/" + repository,
              host.name(),
              Integer.toString(commits)));
    }
    return committers;
  }

  private static LogJudge judge(Lab lab, String repository, List<GuestJava> committers)
      throws Exception {
    List<String> acknowledged = lines(committers, "ACKNOWLEDGED");
    System.out.printf("%s: %d commits acknowledged%n", repository, acknowledged.size());
    return judge(
        lab.nfs().fetch(repository, lab.directory()), acknowledged, lines(committers, "REFUSED"));
  }

  private static LogJudge judge(Path copy, List<String> acknowledged, List<String> refused)
      throws IOException {
    try (DirectorySlotStore store = new DirectorySlotStore(Folder.open(copy), "judge")) {
      return LogJudge.judge(store, acknowledged, refused);
    }
  }

  /** The ids in lines that begin with the word. */
  private static List<String> lines(List<GuestJava> committers, String word) throws Exception {
    List<String> ids = new ArrayList<>();
    for (GuestJava committer : committers) {
      committer.lines(word).forEach(line -> ids.add(line.split(" ", 2)[0]));
    }
    return ids;
  }
}
