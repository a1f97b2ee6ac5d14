package io.quarry.it.mapper;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.it.vm.GuestJava;
import io.quarry.it.vm.Lab;
import io.quarry.it.vm.LabExtension;
import io.quarry.it.vm.LabVm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Devices over parts of a block device of a real kernel. */
@ExtendWith(LabExtension.class)
@Timeout(600)
final class MapperLab {
  @Test
  void devicesAreMadeGrownAndRemoved(Lab lab) throws Exception {
    LabVm host = lab.host("a");
    String device = disk(host);
    String major = number(host, "Hr", device);
    String minor = number(host, "Lr", device);
    GuestJava drill = host.java(MapperDrill.class, device, major, minor);
    drill.awaitSuccess();

    assertSaw(drill, "PIECES", "true");
    assertSaw(drill, "LISTED", "[quarry-drill]");
    assertSaw(drill, "BEYOND", "No space left on device");
    assertSaw(drill, "OPENS", "1");
    assertSaw(drill, "REMOVED-WHILE-OPEN", "false");
    assertSaw(drill, "CONTENT", "1234");
    assertSaw(drill, "REMOVED", "true");
    assertSaw(drill, "READ-ONLY", "true");
    assertThat(drill.lines("WRITTEN-READ-ONLY")).singleElement().isNotEqualTo("none");
    assertSaw(drill, "FINISHED", "1");
    assertThat(drill.lines("OTHER-UUID"))
        .singleElement()
        .asString()
        .contains("another device has the name");
    assertSaw(drill, "DMSETUP", "0 2048 linear %s:%s 8192".formatted(major, minor));
    assertSaw(drill, "PVS", "");
    assertSaw(drill, "PVS-OTHERWISE", "true");
    assertThat(drill.lines("PAST-END"))
        .singleElement()
        .asString()
        .contains("load the table", "Invalid argument");
    assertSaw(drill, "NOTHING-LEFT", "true");
  }

  @Test
  void tableKeepsDevicesWithinTheLog(Lab lab) throws Exception {
    LabVm host = lab.host("a");
    String device = disk(host);
    GuestJava drill =
        host.java(TableDrill.class, number(host, "Hr", device), number(host, "Lr", device));
    drill.awaitSuccess();

    assertSaw(drill, "MADE", "true");
    assertSaw(drill, "OWNER", "1234");
    assertSaw(drill, "MODE", "660");
    assertSaw(drill, "SECOND-MIB", "No space left on device");
    assertSaw(drill, "GROWN", "true");
    assertSaw(drill, "SECOND-MIB-GROWN", "none");
    assertSaw(drill, "TOLD-WHILE-OPEN", "{}");
    assertSaw(drill, "NODE-WHILE-OPEN", "true");
    assertSaw(drill, "RUNS", "[Run[first=4, count=1], Run[first=9, count=2]]");
    assertSaw(drill, "GOES-ON", "true");
    assertSaw(drill, "TOLD", "{disk.1.qcow2=2}");
    assertSaw(drill, "NODE-GONE", "true");
    assertSaw(drill, "AGAIN", "false");
    assertSaw(drill, "BEFORE-THE-FENCE", "none");
    assertSaw(drill, "CUT-OFF", "[disk.1.qcow2]");
    assertSaw(drill, "BEHIND-THE-FENCE", "Input/output error");
    assertThat(drill.lines("BACK-TOO-EARLY"))
        .singleElement()
        .asString()
        .contains("a program on this host still uses");
    assertSaw(drill, "BACK", "true");
    assertSaw(drill, "WRITTEN-AGAIN", "none");
    assertSaw(drill, "REMOVED-BY-A-LOOK", "true");
    assertSaw(drill, "NODES-LEFT", "[]");
  }

  /** A block device of 64 MiB. */
  private static String disk(LabVm host) throws Exception {
    host.run("modprobe dm-mod; modprobe loop; truncate -s 64M /run/below");
    return host.run("losetup --find --show --direct-io=off /run/below");
  }

  private static String number(LabVm host, String format, String device) throws Exception {
    return host.run("stat -c %%%s %s".formatted(format, device));
  }

  private static void assertSaw(GuestJava drill, String what, String value) throws Exception {
    assertThat(drill.lines(what)).as(what).containsExactly(value);
  }
}
