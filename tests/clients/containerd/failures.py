"""ctr run and exec of what cannot run."""
from harness.scenario import scenario
from harness.step import ANY_FAILURE
from containerd.client import IMAGE
from containerd.events import running


@scenario("containerd")
def bad_command(ctr):
    """What is not there, what is no program."""
    ctr("run", "--rm", IMAGE, "box", "absent").expect(1, error="absent.*executable file not found in")
    ctr("run", "--rm", IMAGE, "box", "/absent").expect(1, error="/absent.*no such file or directory")
    ctr("run", "--rm", IMAGE, "box", "/etc/data").expect(1, error="/etc/data.*permission denied")
    ctr("run", "--rm", IMAGE, "box", "/etc").expect(1, error="/etc")
    ctr("run", "--rm", IMAGE, "box", "/bin/not-a-format").expect(ANY_FAILURE)
    ctr("run", "--rm", IMAGE, "box", "/bin/no-interpreter").expect(ANY_FAILURE)
    ctr("run", "--rm", "-d", IMAGE, "box", "absent").expect(1)
    ctr("containers", "list", "--quiet")
    ctr("containers", "delete", "box")


@scenario("containerd")
def bad_options(ctr):
    """Sources, directories, root file systems and namespaces that cannot be."""
    ctr("run", "--rm", "--mount", "type=bind,src=/absent,dst=/x,options=rbind", IMAGE, "box", "true").expect(1, error="no such file or directory")
    ctr("run", "--rm", "--mount", "type=nonsense,src=none,dst=/x", IMAGE, "box", "true").expect(1)
    ctr("run", "--rm", "--cwd", "/etc/data", IMAGE, "box", "true").expect(1)
    ctr("run", "--rm", "--rootfs", f"{ctr.client.scratch}/absent", "box", "true").expect(1)
    ctr("run", "--rm", "--with-ns", "net:/absent", IMAGE, "box", "true").expect(1)
    ctr("run", "--rm", "absent-image", "box", "true").expect(1)


@scenario("containerd")
def bad_exec(ctr):
    """exec of what is not there; a second exec with the same id."""
    with running(ctr):
        ctr("tasks", "exec", "--exec-id", "e", "box", "absent").expect(1, error="absent.*executable file not found in")
        ctr("tasks", "exec", "--exec-id", "e", "box", "/etc/data").expect(1, error="permission denied")
        ctr("tasks", "exec", "--exec-id", "e", "--cwd", "/absent", "box", "true").expect(ANY_FAILURE)
        ctr("tasks", "exec", "-d", "--exec-id", "e", "box", "sleep", "1000").expect()
        ctr("tasks", "exec", "-d", "--exec-id", "e", "box", "sleep", "1000").expect(1, error="already exists")
        ctr("run", "--rm", IMAGE, "box", "true").expect(1, error="already exists")
