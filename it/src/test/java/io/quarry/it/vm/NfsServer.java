package io.quarry.it.vm;

import static io.quarry.it.box.QemuGuest.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;

/** Linux's NFS server in a VM, over XFS on a disk of its own. */
public final class NfsServer {
  /** The disk's serial number. */
  static final String DISK = "export";

  private static final String EXPORT = "/srv/export";

  /** How long clients may take after a restart to claim again what they had open, in seconds. */
  private static final int GRACE_SECONDS = 10;

  private final LabVm vm;
  private Durability durability = Durability.SYNC;
  private int mounts;

  /** When the server acknowledges a change. */
  public enum Durability {
    /** When the change is on the disk. */
    SYNC,
    /** When the change is in the server's memory. */
    ASYNC
  }

  NfsServer(LabVm vm) {
    this.vm = vm;
  }

  /** Starts the server in the VM, which has just booted. */
  void start() throws IOException, InterruptedException {
    // Which clients there were has to outlive the server. So nfsdcld's database is on the disk. The
    // kernel goes on without nfsdcld if that takes a second to answer; no client may see that.
    vm.run(
        """
        ip link set eth0 down
        ip link set eth1 down
        modprobe -a nfsd xfs
        disk=/dev/disk/by-id/virtio-%1$s
        blkid $disk >/dev/null || mkfs.xfs -q $disk
        mkdir -p %2$s /run/rpc_pipefs /var/lib/nfs/nfsdcld
        mount -o gquota $disk %2$s
        mkdir -p %2$s/.nfsdcld
        mount --bind %2$s/.nfsdcld /var/lib/nfs/nfsdcld
        mount -t nfsd nfsd /proc/fs/nfsd
        mount -t rpc_pipefs rpc_pipefs /run/rpc_pipefs
        rpcbind
        nfsdcld
        echo %3$d >/proc/fs/nfsd/nfsv4leasetime
        echo %3$d >/proc/fs/nfsd/nfsv4gracetime
        %4$s
        rpc.nfsd --no-nfs-version 3 4
        until dmesg | grep 'NFSD: Using nfsdcld client tracking'; do
          rpc.nfsd 0
          rpc.nfsd --no-nfs-version 3 4
        done
        rpc.mountd --no-nfs-version 3
        ip link set eth0 up
        ip link set eth1 up
        """
            .formatted(DISK, EXPORT, GRACE_SECONDS, exportfs()));
  }

  /** Takes the server's power away, and brings the server back. */
  public void cutPower() throws IOException, InterruptedException {
    vm.cutPower();
    vm.start();
    start();
  }

  public void export(Durability durability) throws IOException, InterruptedException {
    this.durability = durability;
    vm.run(exportfs());
  }

  /** No client may use what it has of the export any more. */
  public void withdraw() throws IOException, InterruptedException {
    vm.run("exportfs -ua");
  }

  /** Exports again. */
  public void restore() throws IOException, InterruptedException {
    vm.run(exportfs());
  }

  /** Fills the server's filesystem to the last block. */
  public void fill() throws IOException, InterruptedException {
    vm.run(
        """
        fallocate -l $(($(df --output=avail -B1 %1$s | tail -n 1) - 1048576)) %1$s/filler
        dd if=/dev/zero of=%1$s/filler-end bs=4k 2>/dev/null || true
        sync
        """
            .formatted(EXPORT));
  }

  /** Frees what {@link #fill} has taken. */
  public void free() throws IOException, InterruptedException {
    vm.run("rm %1$s/filler %1$s/filler-end; sync".formatted(EXPORT));
  }

  /**
   * Limits what the files of a group may take from now on.
   *
   * @param more bytes; less than 0 for no limit
   */
  public void limitGroup(int group, long more) throws IOException, InterruptedException {
    vm.run(
        """
        used=$(xfs_quota -x -c 'quota -g -N -n -b %1$d' %3$s | awk 'NR == 1 {print $2}')
        limit=0
        ((%2$d < 0)) || limit=$((${used:-0} + %2$d / 1024))
        xfs_quota -x -c "limit -g bhard=${limit}k %1$d" %3$s
        """
            .formatted(group, more, EXPORT));
  }

  private String exportfs() {
    String durable = durability == Durability.SYNC ? "sync" : "async";
    return "exportfs -o rw,no_root_squash,insecure,no_subtree_check,fsid=0,%s '*:%s'"
        .formatted(durable, EXPORT);
  }

  /** Makes a directory that outlives a power cut, and directories in it. */
  public void makeDirectories(String directory, String... below)
      throws IOException, InterruptedException {
    vm.run(
        "mkdir -p %1$s; cd %1$s; mkdir -p . %2$s; sync"
            .formatted(EXPORT + "/" + directory, String.join(" ", below)));
  }

  /**
   * Mounts the export at a client.
   *
   * @param options besides {@code hard}, for example {@code vers=4.2}
   * @return where it is mounted
   */
  public String mount(LabVm client, String options) throws IOException, InterruptedException {
    String point = "/mnt/" + ++mounts;
    String address = client.peer();
    client.run(
        "mkdir -p %1$s; mount -t nfs -o hard,nosharecache,noatime,%2$s %3$s:/ %1$s"
            .formatted(point, options, address));
    return point;
  }

  /** Copies a directory of the export to this host, as the server's disk has it. */
  public Path fetch(String directory, Path to) throws IOException, InterruptedException {
    Path archive = Files.createDirectories(to).resolve(directory + ".tar.gz");
    String base64 = vm.run("tar -C " + EXPORT + " -cz " + directory + " | base64 --wrap=0");
    Files.write(archive, Base64.getDecoder().decode(base64));
    run(List.of("tar", "-C", to.toString(), "-xzf", archive.toString()));
    return to.resolve(directory);
  }
}
