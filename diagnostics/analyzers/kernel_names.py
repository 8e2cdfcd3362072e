"""Names of kernel functions that stand in the trace of any report and are not its subject.

Whole names, as regular expressions, one family a text.
"""

from __future__ import annotations

import re

# Printing the report, dying, and the exception paths that lead there.
REPORTING = r"""
_*sched_show_task dump_cpu_task check_cpu_stall get_taint check_panic_on_warn end_report bad_page
dump_stack\w* __dump_stack show_stack\w* show_regs show_trace\w* show_mem\w* dump_\w+ unwind_\w+
__unwind\w* walk_stackframe arch_stack_walk\w* stack_trace_\w+ save_stack\w* __save_stack\w*
stack_depot\w* panic __panic panic_\w+ nmi_panic\w* die __die die_\w+ oops_\w+ __warn\w* warn_\w+
report_bug report_\w+ fixup_bug\w* handle_bug handle_exception\w* do_error_trap do_trap\w*
do_invalid_op invalid_op bug_handler bug_at call_break_hook brk_handler do_debug_exception
do_el1_\w+ el1\w* el0\w* el1t?_\w+ __el1\w* __el0\w* asm_\w+ error_entry error_exit error_code
idtentry\w* __irq_\w+ general_protection double_fault divide_error stack_segment int3
page_fault_oops print_\w+ __print_\w+ object_err slab_err slab_bug slab_fix __slab_err printk\w*
vprintk\w* _printk console_unlock console_flush\w* console_emit\w* console_trylock\w* console_lock
console_cpu_notify __down_trylock_console_sem
"""
# Faults being looked at; of interest only where nothing else is.
FAULTING = r"""
exc_\w+ no_context bad_area\w* __bad_area\w* do_page_fault __do_page_fault page_fault\w*
do_user_addr_fault do_kern_addr_fault __do_kernel_fault do_mem_abort do_translation_fault
do_bad_area do_alignment_fault do_sp_pc_abort __do_user_fault die_kernel_fault do_DataAbort
do_PrefetchAbort do_undefinstr __und_\w+ __dabt_\w+ __pabt_\w+ do_general_protection
do_double_fault do_int3 async_page_fault do_async_page_fault spurious_\w+ kernelmode_fixup_or_oops
"""
# Sanitizers, lock checks, counters and list checks: they found it, they are not it.
CHECKING = r"""
_*k[amc]?san_\w+ set_track\w* \w+_fixup_(?:activate|free|init|assert_init|destroy) __seqprop\w*
stack_trace_consume\w* add_taint \w*serror\w* _*roundup_pow_of_two _*ilog2\w* k[am]san_\w+
__k[am]san\w* __asan_\w+ __hwasan\w* __msan\w* __tsan\w* kcsan_\w+ kfence_\w+ __kfence\w*
check_memory_region\w* memory_is_\w+ ubsan_\w+ __ubsan\w* handle_overflow __sanitizer_\w+
___?might_\w+ __might_\w+ might_\w+ __schedule_bug __cant_sleep\w* debug_smp_\w+
check_preemption_disabled __this_cpu_preempt_check debug_lockdep\w* lockdep_\w+ __lockdep\w*
lock_(?:acquire|downgrade|unpin|pin|set_class)\w* __lock_acquire\w* lock_release\w*
__lock_release\w* lock_acquired validate_chain check_prev\w* check_noncircular check_irq_usage
check_deadlock check_lock\w* check_usage\w* check_wait_context mark_lock\w* mark_usage mark_held\w*
mark_irqflags mark_all\w* register_lock_class __register_lock_class look_up_lock_class
assign_lock_key static_obj valid_state lock_is_held\w* debug_check_no_\w+ trace_hard\w*
trace_soft\w* trace_preempt\w* trace_irq\w* __trace_hard\w* refcount_\w+ __refcount\w* kref_\w+
__kref\w* debug_print_object __debug_\w*object\w* debug_object\w* debug_check\w* __debug_check\w*
debug_mutex\w* debug_spin\w* usercopy_\w+ __check_object_size check_\w+object\w* check_heap_object
fortify_panic __fortify\w* __stack_chk_fail __list_\w+ list_add\w* list_del\w* list_move\w*
list_replace\w* rb_\w+ __rb_\w+ qlist_\w+ quarantine_\w+ __phys_addr\w* _*virt_to_\w+
ref_tracker_\w+ spin_bug spin_dump rwlock_bug kmemleak_\w+ create_object find_.*module_bug
trace_event_\w+ __page_table_check\w*
"""
# What everybody calls: memory, strings, copies, allocators, atomics, small libraries.
HELPING = r"""
_*copy_user\w* copyout copyin bcmp skb_(?:over_|under_)?panic mempool_alloc\w* pcpu_alloc\w*
free_percpu _*alloc_percpu\w* vma_alloc_folio\w* _*folio_alloc\w* vmemdup_user _*flush_workqueue
_*delay delay_tsc _*const_udelay _*udelay cpu_relax _*init_timer\w*
device_(?:add|del|register|unregister|destroy|create\w*|initialize|release\w*) get_device_parent
kstrdup\w* kvasprintf\w* _*cancel_(?:delayed_)?work\w* flush_delayed_work drain_workqueue
destroy_workqueue _*call_rcu\w* put_device get_device lock_timer_base _*try_to_del_timer\w*
_*timer_delete\w* _*del_timer\w* mod_timer\w* add_timer\w* sk_stop_timer\w* rhashtable_\w+
_*rht_\w+ free_unref\w* folios?_put\w* put_page\w* _*put_page release_pages folio_batch\w*
folio_alloc\w* filemap_(?:alloc|get)_folio\w* __filemap_get_folio pagecache_get_page
grab_cache_page\w* find_or_create_page read_cache_(?:page|folio)\w* _*kv[mz]alloc\w* kvmalloc_node
dev_vprintk_emit dev_printk\w* __dev_printk _?dev_(?:err|warn|info|notice) device_remove_file
list_lru_\w+ __list_lru_init memcg_\w+ kill_fasync
_*mem(?:cpy|set|move|cmp|chr|scan|dup|dup_user|zero)\w* _*copy_(?:from|to|in)_\w+
_*(?:get|put)_user\w* _*csum_\w+ sized_str\w* _*find_\w+_bit\w* _*raw_copy\w* rep_\w+
arch_atomic\w* atomic\w* _*test_and_\w+_bit _*set_bit _*clear_bit _*bitmap_\w+ instrument_\w+
_*read_once\w* _*write_once\w* arch_\w+_bit number string\w* vsnprintf snprintf sprintf pointer
_*k[mzv]?alloc(?:_(?:node|track|trace|large|order|slab|array|reserve|cache|noprof)\w*)?
_*kvzalloc\w* _*kmem_cache_\w+ _*k[vz]?free\w* _*slab_\w+ _*cache_alloc\w* _*cache_free\w*
krealloc\w* _*do_krealloc do_kmalloc\w* kmemdup\w* _*do_kmalloc\w* _*alloc_pages\w* alloc_slab\w*
allocate_slab new_slab _*get_free_pages\w* alloc_page\w* _*vmalloc\w* vzalloc\w* vfree _*vunmap
free_large_kmalloc _*free_pages\w* kcalloc discard_slab
kmalloc_(?:slab|large|order|trace|node|track|cache|array|reserve|noprof)\w* free_slab prep_new_page
post_alloc_hook get_page_from_freelist set_freepointer \w*freelist\w* _*krealloc\w* idr_\w+ ida_\w+
xa_\w+ _*xa_\w+ xas_\w+ radix_tree_\w+ _*str\w{0,3}(?:len|cmp|cpy|cat|chr|str|sep|spn|dup|pbrk)\w*
vscnprintf scnprintf hex_string k(?:v)?asprintf\w* va_format _*copy_to_iter\w* _*copy_from_iter\w*
simple_copy_to_iter copy_page_(?:to|from)_iter\w* _*atomic\w* _atomic_dec_and\w*
read_word_at_a_time do_tag_check_fault usb_(?:submit|kill|free|unlink)_urb usb_start_wait_urb
usb_(?:internal_)?(?:bulk|control|interrupt)_msg\w* sysfs_remove_\w+ kobject_\w+ klist_\w+
__seqprop_assert flush_workqueue _*flush_work sock_kmalloc alloc_inode __wake_up\w* _*wake_up\w*
iput fput seq_\w+ _*phys_to_\w+
"""
# Ciphers and digests at work on a caller's data.
CIPHERING = r"""
cipher_crypt\w* aes\w*_(?:en|de)crypt\w* aesti_\w+ crypto_\w+ skcipher_\w+
(?:xts|ecb|cbc|ctr|gcm|cts)_\w+ gf128\w+ _*chacha\w* poly1305\w* drbg_\w+ rng_\w+ _*sha\d+_\w+
(?:des3?|blowfish|camellia|serpent|twofish)_\w+
"""
# Taking and giving locks.
LOCKING = r"""
rwbase_\w+ _*raw_\w*(?:spin|read|write)_\w+ do_raw_\w+ _*arch_\w*lock\w*
_*spin_(?:lock|unlock|trylock)\w* _*(?:read|write)_(?:lock|unlock|trylock)\w* queued_\w+
native_queued\w* _*pv_queued\w* _*mutex_\w+ _*ww_mutex\w* \w*_on_rt_mutex\w* raw_spin_rq_\w+
_*rt_mutex\w* rt_spin\w* _*down(?:_\w+)? _*up(?:_read|_write)? rwsem_\w+ call_rwsem\w*
_*percpu_(?:down|up|rwsem|ref_switch)\w* percpu_rwsem\w* ldsem_\w+ _*ldsem\w* tty_ldisc_lock\w*
tty_ldisc_ref_wait lock_sock\w* _*lock_sock\w* bit_spin\w* seqcount\w* _*rcu_read_\w+
_*local_bh_\w+ local_bh\w* osq_\w+ rcu_lock_\w+ _*lock_page\w* _*folio_lock\w* _*arch_local\w*
arch_local\w* _*local_irq\w* native_(?:save|restore|irq)\w* _*cond_resched\w*
"""
# Standing still: the scheduler, waits, idling.
WAITING = r"""
folio_wait_\w+ msleep\w* usleep_range\w* _*rpc_execute rpc_run_task rpc_call_sync nfs4_call_sync\w*
prepare_to_wait\w* finish_wait add_wait_queue\w* synchronize_net schedule\w* __schedule\w*
io_schedule\w* _*wait_(?:for_common|for_completion|on_bit|on_page|on_buffer|rcu|event|woken|on)\w*
wait_\w*completion\w* do_wait_for_\w+ out_of_line_wait\w* \w*bit_wait\w* \w*_wait_bit\w*
context_switch __switch_to\w* preempt_schedule\w* preempt_\w+ ___preempt\w* do_nanosleep
\w*_timeout_uninterruptible rcu_barrier_wait _*wait_rcu_gp rq_qos_wait finish_task_switch
native_safe_halt default_idle arch_cpu_idle\w* mwait\w* cpuidle_\w+ cpu_idle\w* do_idle safe_halt
rest_init
"""
# The ways into the kernel: system calls, interrupts, threads, timers.
ENTERING = r"""
retint_\w+ gup_\w+ task_work_run entry_\w+ do_syscall\w* do_fast_syscall\w* do_int80\w* syscall_\w+
system_call\w* sysenter\w* int_ret\w* ret_\w+ _*invoke_syscall x64_sys_call exit_to_\w+
prepare_exit\w* syscall_return\w* secondary_startup\w* start_secondary _*kthread kthread_\w+
kernel_thread\w* child_rip worker_thread process_one_work process_scheduled_works
common_interrupt\w* _*common_interrupt do_IRQ _*irq_\w+ irq_\w+ handle_irq\w* _*handle_irq\w*
handle_\w+_irq generic_handle\w* _*handle_domain\w* \w*sysvec_\w+ (?:smp_)?\w*apic_timer\w*
smp_reschedule\w* reschedule_interrupt call_function\w* flush_smp\w* generic_smp_call\w*
_*hrtimer_\w+ hrtimer_\w+ tick_\w+ update_process_times local_apic\w* _*run_hrtimer rcu_\w+
__rcu_\w+ call_on_\w+ _*do_softirq\w* do_softirq\w* invoke_softirq run_ksoftirqd call_softirq
run_timer_softirq expire_timers call_timer_fn \w*nmi\w* perf_event_overflow perf_event_nmi\w*
__perf_event_overflow perf_trace_\w+ perf_tp_event perf_callchain\w* intel_pmu\w* watchdog\w*
gic_\w+ arch_timer\w* timer_interrupt read_hpet\w* notifier_call\w* _*atomic_notifier\w*
x86_64_start\w* i386_start\w* arch_call_rest_init native_\w*msr\w* default_send_IPI\w* flat_send\w*
x2apic\w* trigger_\w+backtrace\w* arch_trigger\w* io_serial_in serial8250\w* wait_for_xmitr
"""

# A processor that had nothing to do.
IDLE = r"""
native_safe_halt default_idle\w* arch_cpu_idle\w* arch_safe_halt mwait\w* \w*mwait_idle\w*
cpuidle_\w+ cpu_idle\w* do_idle safe_halt rest_init acpi_idle_\w+ acpi_safe_halt intel_idle\w*
poll_idle pv_native_safe_halt cpu_do_idle cpu_startup_entry io_idle
"""
# Written in assembler, below whatever a task asks of the kernel.
GATES = r"""
entry_\w+ system_call\w* sysenter\w* syscall_\w+ tracesys\w* int_ret\w* ret_from_fork\w* retint_\w+
do_syscall_64 do_int80\w* do_fast_syscall\w* secondary_startup\w* kernel_thread_helper child_rip
"""
# What hands work of any sort on; the function that it called says which.
HANDING_ON = r"""
process_one_work process_scheduled_works worker_thread do_syscall\w* do_fast_syscall\w* do_int80\w*
x64_sys_call entry_\w+ system_call\w* sysenter\w* tracesys\w* ret_fast_syscall __sys_trace_return
el0_\w+ invoke_syscall\w* _*do_softirq\w* handle_softirqs\w* run_ksoftirqd call_timer_fn
expire_timers _*run_timer\w* _*hrtimer_run\w* smpboot_thread_fn kthread ret_from_\w+
kernel_thread\w* start_secondary cpu_startup_entry start_kernel kernel_init\w* do_basic_setup
do_initcall\w* do_one_initcall
_*vfs_(?:read|write|readv|writev|ioctl|fsync\w*|open) do_vfs_ioctl new_sync_(?:read|write)
do_iter_\w+ do_dentry_open _*sock_(?:send|recv)msg\w* sock_do_ioctl sock_ioctl rtnetlink_rcv\w*
genl_\w*rcv_msg\w* netlink_rcv_skb netlink_dump _*netif_receive_skb\w* call_(?:read|write)_iter
__f(?:put|ops_put) task_work_run
"""


def names(*families: str) -> re.Pattern:
    return re.compile("|".join(" ".join(families).split()))


SILENT = names(REPORTING, CHECKING, HELPING, CIPHERING, LOCKING, WAITING)
EMPTY = re.compile(f"{SILENT.pattern}|{names(FAULTING, ENTERING).pattern}")
HELPERS = names(CHECKING, HELPING, CIPHERING, LOCKING)
PRIMITIVES = names(CHECKING, LOCKING)
REPORTERS = names(REPORTING)
NOISE = names(REPORTING, FAULTING, WAITING, ENTERING)
IDLING = names(IDLE)
DISPATCHING = names(HANDING_ON)
OUTERMOST = names(GATES)
# An instruction pointer in one of these says only that a check failed.
CHECKERS = names(
    r"refcount_\w+ debug_print_object usercopy_\w+ __check_object_size fortify_panic __might_\w+ "
    r"___might_\w+ __stack_chk_fail panic __warn\w* warn_\w+ ref_tracker_dir_exit report_bug "
    r"add_taint"
)
