package io.quarry.it.nfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.it.vm.GuestJava;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.LabExtension;
import io.quarry.it.vm.LabVm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two hosts put the same names into slot stores on NFS. */
@ExtendWith(LabExtension.class)
@Timeout(600)
final class ExclusiveLinksLab {
  private static final int NAMES = Integer.getInteger("quarry.lab.names", 100);

  /** The directories' names end with the version. */
  private static final List<String> VERSIONS = List.of("4.2", "4.1");

  @Test
  void eachNameHasExactlyOneWinner(Lab lab) throws Exception {
    for (String version : VERSIONS) {
      lab.nfs().makeDirectories(directory(version), "log", "tmp");
    }
    GuestJava a = race(lab, "a", "b");
    GuestJava b = race(lab, "b", "a");
    a.awaitSuccess();
    b.awaitSuccess();
    List<String> wonByA = a.lines("WON");
    List<String> wonByB = b.lines("WON");
    System.out.printf("names won by a: %d, by b: %d%n", wonByA.size(), wonByB.size());
    List<String> winners = new ArrayList<>(wonByA);
    winners.addAll(wonByB);
    assertThat(winners).doesNotHaveDuplicates().hasSize(NAMES * VERSIONS.size());
    for (String version : VERSIONS) {
      Path log = lab.nfs().fetch(directory(version), lab.directory()).resolve("log");
      for (int i = 0; i < NAMES; i++) {
        String name = "slot." + i;
        boolean isA = wonByA.contains(directory(version) + " " + name);
        assertThat(Files.readString(log.resolve(name))).as(name).isEqualTo(isA ? "a" : "b");
      }
    }
  }

  private static GuestJava race(Lab lab, String own, String other) throws Exception {
    LabVm host = lab.host(own);
    List<String> arguments = new ArrayList<>(List.of(own, other, Integer.toString(NAMES)));
    for (String version : VERSIONS) {
      String mount = lab.nfs().mount(host, "lookupcache=positive,vers=" + version);
      arguments.add(mount + "/" + directory(version));
    }
    return host.java(LinkRace.class, arguments.toArray(String[]::new));
  }

  private static String directory(String version) {
    return "race-" + version;
  }
}
