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
    host.run("modprobe dm-mod; modprobe loop; truncate -s 64M /run/below");
    String device = host.run("losetup --find --show --direct-io=off /run/below");
    String major = host.run("stat -c %%Hr %s".formatted(device));
    String minor = host.run("stat -c %%Lr %s".formatted(device));
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

  private static void assertSaw(GuestJava drill, String what, String value) throws Exception {
    assertThat(drill.lines(what)).as(what).containsExactly(value);
  }
}
