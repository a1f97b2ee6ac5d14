package io.quarry.it.nfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.it.vm.GuestJava;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.LabExtension;
import io.quarry.it.vm.LabVm;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** When a host sees what another host has written to NFS. */
@ExtendWith(LabExtension.class)
@Timeout(600)
final class FreshnessLab {
  private static final int ROUNDS = 20;

  /** Longer than the test takes, so that the client asks for attributes when it must. */
  private static final String LONG_CACHE = "vers=4.2,actimeo=3600";

  @Test
  void onlyLookupcachePositiveShowsNewNamesAtOnce(Lab lab) throws Exception {
    lab.nfs().makeDirectories("names");
    LabVm reader = lab.host("b");
    String asDefault = lab.nfs().mount(reader, LONG_CACHE) + "/names/new";
    String positive = lab.nfs().mount(reader, LONG_CACHE + ",lookupcache=positive") + "/names/new";
    assertThat(reader.succeeds("cat " + asDefault)).isFalse();
    assertThat(reader.succeeds("cat " + positive)).isFalse();
    LabVm writer = lab.host("a");
    String mount = lab.nfs().mount(writer, LONG_CACHE);
    writer.run(
        "echo new >%1$s/names/written; ln %1$s/names/written %1$s/names/new".formatted(mount));
    assertThat(reader.run("cat " + positive)).isEqualTo("new");
    // The default mount is what the format must not be connected with.
    assertThat(reader.succeeds("cat " + asDefault)).isFalse();
  }

  @Test
  void eachHostReadsTheHeadThatTheOtherHasWritten(Lab lab) throws Exception {
    lab.nfs().makeDirectories("heads", "log", "tmp");
    GuestJava a = exchange(lab, "a", 0);
    GuestJava b = exchange(lab, "b", 1);
    a.awaitSuccess();
    b.awaitSuccess();
    assertThat(a.lines("HEAD")).isEqualTo(rounds(1));
    assertThat(b.lines("HEAD")).isEqualTo(rounds(0));
  }

  private static GuestJava exchange(Lab lab, String name, int first) throws Exception {
    LabVm host = lab.host(name);
    String mount = lab.nfs().mount(host, LONG_CACHE + ",lookupcache=positive");
    return host.java(
        HeadExchange.class,
        mount + "/heads",
        name,
        Integer.toString(first),
        Integer.toString(ROUNDS));
  }

  private static List<String> rounds(int first) {
    return IntStream.range(0, ROUNDS)
        .filter(round -> round % 2 == first)
        .mapToObj(round -> round + " " + round)
        .toList();
  }
}
